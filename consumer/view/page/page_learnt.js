/* Learnt: what goes with what, as relance learn has counted it and engines decide by it: of each affinity the version, how old it is,
 * who has taken it, what is most popular, and the list of a product. */
import {h} from './dom.js';
import {bar} from './chart.js';
import {heading, nothing, section, table, tile, tiles, waiting} from './parts.js';
import {duration, number, time, weight} from './words.js';

const OLD_S = 6 * 3600; /* as the alert RelanceModelOld has it */

const link = (...words) => `#/learnt/${words.map(encodeURIComponent).join('/')}`;

/* {goes_with: 17}, as actions have it. */
export const decided_by = (models) => Object.entries(models).flatMap(([name, version], i) => [i ? ', ' : '', h('a', {href: link(name)}, name), ` version ${number(version)}`]);

/* `learnt` of a story's decision: each question, and what became of the products that the version lists. */
export const answers = (list) => list.flatMap((one, n) => [
  h('p', {}, h('a', {href: link(one.affinity)}, one.affinity), one.version ? [` version ${number(one.version)} of `, time(one.at)] : one.unknown ? ': what it gave is not known' : ': no version was in force, it gave nothing',
    one.asked ? one.asked.flatMap((product, i) => [i ? ', ' : ', asked about ', h('a', {href: link(one.affinity, product)}, product)]) : ', the most popular'),
  one.listed.length > 0 && table(`What ${one.affinity} answered, ${n + 1}`, [{name: 'Product'}, {name: 'Weight', is_number: true}, {name: 'What became of it'}],
    one.listed.map(({product, weight: of, taken: is_taken, why}) => ({key: product, cells: [h('a.name', {href: link(one.affinity, product)}, product), weight(of), is_taken ? 'taken' : why ?? 'asked about']})), {class: 'narrow'})]);

export function learnt_needs({path: [name, product]}) {
  const needs = {learnt: ['/api/learnt', 2000]};
  if (product !== undefined) needs.also = [`/api/also?name=${encodeURIComponent(name)}&product=${encodeURIComponent(product)}`, 10000];
  return needs;
}

/* ---- lists */
function list(caption, name, rows, column) {
  const most = rows[0]?.weight || 1;
  return table(caption, [{name: 'Product'}, {name: column, is_number: true}, {name: 'As a bar', is_bar: true}],
    rows.map(({product, weight: one}) => ({key: product, cells: [h('a.name', {href: link(name, product)}, product), weight(one), bar(one / most)]})), {class: 'narrow.listed'});
}

function form({name}, product, look) {
  const go = (event) => {
    event.preventDefault();
    const next = link(name, event.target.elements.product.value);
    if (next === location.hash) look();
    else location.hash = next;
  };
  return h('form.ask', {role: 'search', onsubmit: go, 'data-key': `form ${product}`},
    h('label.wide', {}, 'Product, exactly as events have it', h('input', {type: 'text', name: 'product', value: product, required: true, autocomplete: 'off', spellcheck: 'false', maxlength: 256})),
    h('button.main', {type: 'submit'}, 'Look up'));
}

function partners({name}, product, also, trouble) {
  if (!also) return trouble ? nothing('The list cannot be shown.', trouble) : h('p.note', {}, 'Reading…');
  if (!also.partners.length) return nothing(`Version ${also.version} lists nothing for ${product}.`, 'Products are looked up exactly. A pair is listed once as many customers have made it as "least" of the declaration says, 3 unless it says otherwise.');
  return list(`${product} goes with`, name, also.partners, 'Weight');
}

/* ---- one affinity */
const taken = (one) => one.in_force.reduce((sum, {partitions}) => sum + partitions.length, 0);

/* Who decides by what, where that is not all by the newest. */
function adoption(one, count) {
  const [first, ...others] = one.in_force, missing = count - taken(one);
  if (!first || (!others.length && !missing && (!one.newest || one.newest.chain === first.chain))) return null;
  const rows = one.in_force.map(({version, chain, partitions}) => ({key: chain, cells: [number(version), number(partitions.length), partitions.join(', ')]}));
  if (missing > 0) rows.push({key: 'none', cells: ['none yet', number(missing), 'the others']});
  return table(`Versions in force of ${one.name}`, [{name: 'Version'}, {name: 'Partitions', is_number: true}, {name: 'Which'}], rows, {class: 'narrow'});
}

function figures(one, count) {
  const {newest} = one, version = newest?.version ?? Math.max(...one.in_force.map((of) => of.version)), current = one.in_force.find((of) => !newest || of.chain === newest.chain);
  return tiles(tile('Version', number(version), newest && ['counted up to ', time(newest.at_ms)]),
    newest && tile('Age', duration(newest.age_s), newest.age_s > OLD_S ? 'Is relance learn running, do events come?' : 'of the newest event in it', {class: newest.age_s > OLD_S ? 'tile odd' : 'tile'}),
    newest && tile('Products', number(newest.products), 'that it names'),
    tile('Partitions', `${number(current?.partitions.length ?? 0)} of ${number(count)}`, 'decide by it'));
}

function never({now, learnt}) {
  return nothing('No version has been made yet.',
    `relance learn --rules … --group ${now.group} --input ${now.topic} --output … --kafka.bootstrap.servers … writes one an hour, and engines take it by themselves.`,
    !learnt.read && 'This server reads no versions, either: start relance serve with --output and --kafka.bootstrap.servers.');
}

function affinity(one, known) {
  const {here, learnt, now, also, also_trouble: trouble, look} = known, count = now.partitions.length, [name, asked] = here.path;
  const product = name === one.name ? asked : undefined;
  if (!one.newest && !one.in_force.length) return section(one.name, never(known));
  return section(one.name, figures(one, count), adoption(one, count), one.newest
    ? h('div.columns', {}, h('div', {}, h('h3', {}, 'What goes with a product'), form(one, product ?? '', look), product !== undefined && partners(one, product, also, trouble)),
      h('div', {}, h('h3', {}, 'The most popular'), one.newest.popular.length ? list(`The most popular of ${one.name}`, one.name, one.newest.popular, 'Of the first') : h('p.note', {}, 'None yet.')))
    : learnt.read ? nothing('The newest version is being read.') : nothing('Its lists are not shown here.', 'They are read from Kafka: start relance serve with --output and --kafka.bootstrap.servers.'));
}

/* What engines say themselves: the age of the oldest version in force. */
const oldest = (now) => Math.max(0, ...Object.values(now.live).map((live) => Number(live.model_age_s) || 0));

export function models_old(now) {
  const age = oldest(now);
  return age > OLD_S ? [{grade: 'warn', what: [h('a', {href: '#/learnt'}, 'What has been learnt'), ` is ${duration(age)} old`], todo: 'relance learn is not running, or no events come. Engines go on with the version that they have.'}] : [];
}

export function learnt(known) {
  const {learnt: all, learnt_trouble: trouble, now} = known;
  if (!all) return [heading('Learnt'), waiting(trouble)];
  if (!all.affinities.length) return [heading('Learnt'), nothing('These rules ask for nothing that is learnt.',
    'Declare "affinities" in a rule file: which events say that products go together. relance learn then counts what customers do, and rules ask for what goes with a product, or is popular.',
    'relance learn --events FILE --evaluate 7d says beforehand what that would be worth.')];
  return [heading('Learnt', oldest(now) > 0 && h('p.note', {}, `Of what is in force the oldest counts up to ${duration(oldest(now))} ago.`)),
    h('p.note', {}, 'What goes with what, counted over all customers by relance learn. Engines take a version within a second, and each action says by which one it was decided.'),
    all.trouble && nothing('Nothing newer can be read.', all.trouble),
    all.affinities.map((one) => affinity(one, known))];
}
