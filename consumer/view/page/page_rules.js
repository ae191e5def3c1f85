/* Rules: what each has done, what it was worth, and why sends did not happen; and of one rule its steps, its variants, its text
 * with its counters in the margin, and examples of each outcome. */
import {h, remember, remembered} from './dom.js';
import {bar} from './chart.js';
import {heading, nothing, section, table, tile, tiles, waiting} from './parts.js';
import {OUTCOMES} from './outcomes.js';
import {decided_by} from './page_learnt.js';
import {amount, number, plural, say, share, time} from './words.js';
import {excerpt} from './source.js';

const FOLD_LINES = 8;
const MANY = 12; /* rules from which on one looks for them by name */
const EXAMPLES = ['sent', 'held', 'goal']; /* what is published, so that there are examples */
let wanted = '';

export function rules_needs(here, now) {
  const needs = {report: ['/api/report', 2000]};
  if (here.path[0] !== undefined) needs.texts = ['/api/rules', 5000];
  if (here.path[1] !== undefined && now?.examples) needs.examples = [`/api/examples?rule=${encodeURIComponent(here.path[0])}&outcome=${encodeURIComponent(here.path[1])}`, 2000];
  return needs;
}

const link = (...words) => `#/rules/${words.map(encodeURIComponent).join('/')}`;

/* ---- all rules */
/* What is the lift over the holdout, in the report's words? Of several variants, the one that stands out. */
function lift(one) {
  if (!one.lift.length) return h('span.undecided', {title: 'without a variant holdout there is nothing to compare with'}, 'no holdout');
  const best = one.lift.find((of) => of.conversion.apart) || one.lift[0];
  return h(`span.${word_class(best.conversion)}`, {title: `${best.variant} over ${best.over}`}, best.conversion.words);
}

const word_class = (of) => (!of.apart ? 'undecided' : of.by > 0 ? 'better' : 'worse');

const reasons = (one, most) => one.not_sent.slice(0, most).map(({why, by, count}) =>
  `${say(why)}${by ? ` by ${by}` : ''} ${number(count)}`).join(', ');

function sums_of_reasons(one) {
  const sums = new Map();
  for (const {why, count} of one.not_sent) sums.set(why, (sums.get(why) || 0) + count);
  return [...sums].map(([why, count]) => h('span.reason', {title: OUTCOMES[why] || null}, `${say(why)} ${number(count)}`)).flatMap((span, i) => (i ? [', ', span] : [span]));
}

const COLUMNS = [
  {name: 'Rule', value: (one) => one.rule}, {name: 'Started', value: (one) => one.started}, {name: 'Sent', value: (one) => one.sent},
  {name: 'Held', value: (one) => one.held, title: 'to be measured against, and not sent'}, {name: 'Goal', value: (one) => one.goals},
  {name: 'Value', value: (one) => one.value, title: 'of the goals'}, {name: 'Lift over the holdout', value: (one) => one.lift[0]?.conversion.by ?? -Infinity},
  {name: 'Why not sent', value: (one) => one.not_sent.reduce((sum, {count}) => sum + count, 0)},
];

function sorting(changed) {
  const [name, direction] = remembered('rules', 'Sent descending').split(/ (?=\w+$)/);
  const column = COLUMNS.find((one) => one.name === name) || COLUMNS[2], is_up = direction === 'ascending';
  const turn = (one) => {
    const next = one === column ? (is_up ? 'descending' : 'ascending') : one.name === 'Rule' ? 'ascending' : 'descending';
    remember('rules', `${one.name} ${next}`);
    changed();
  };
  const collator = new Intl.Collator(undefined, {numeric: true});
  const compare = (a, b) => (column.name === 'Rule' ? collator.compare(a.rule, b.rule) : column.value(a) - column.value(b)) * (is_up ? 1 : -1) || collator.compare(a.rule, b.rule);
  return {compare, columns: COLUMNS.map((one, i) => ({name: one.name, title: one.title, is_number: i > 0 && i < 6,
    sorted: one === column ? (is_up ? 'ascending' : 'descending') : null, onclick: () => turn(one)}))};
}

function row(one) {
  return {key: one.rule, cells: [h('a.name', {href: link(one.rule)}, one.rule), number(one.started), number(one.sent), number(one.held), number(one.goals),
    one.value ? amount(one.value) : h('span.undecided', {}, '–'), lift(one), one.not_sent.length ? h('span.reasons', {title: reasons(one, 20)}, sums_of_reasons(one)) : h('span.undecided', {}, '–')]};
}

function search(count, shown, changed) {
  return h('form.ask', {role: 'search', onsubmit: (event) => event.preventDefault()},
    h('label.wide', {}, 'Rules whose name has', h('input', {type: 'search', name: 'rule', autocomplete: 'off', oninput: (event) => { wanted = event.target.value; changed(); }})),
    h('p.note', {}, shown === count ? plural(count, 'rule', 'rules') : `${number(shown)} of ${plural(count, 'rule', 'rules')}`));
}

function all_rules({report, report_trouble: trouble, changed}) {
  if (!report) return [heading('Rules'), waiting(trouble)];
  if (!report.rules.length) return [heading('Rules'), nothing('No rule has done anything yet.',
    'A rule stands here from its first trigger on. Do events come in? The overview says how many a second.',
    'relance check says which rules there are, relance explain CUSTOMER why one has not acted.')];
  const {compare, columns} = sorting(changed), lower = wanted.toLowerCase();
  const list = report.rules.filter((one) => one.rule.toLowerCase().includes(lower)).sort(compare);
  return [heading('Rules', h('p.note', {}, 'Since ever; each name opens what the rule did, step by step.')),
    report.rules.length > MANY && search(report.rules.length, list.length, changed),
    list.length ? table('Rules', columns, list.map(row), {class: 'rules'}) : nothing('No rule has such a name.')];
}

/* ---- one rule */
const outcome_words = (one, outcome, words) => (EXAMPLES.includes(outcome)
  ? h('a', {href: link(one.rule, outcome), title: `${OUTCOMES[outcome]} Opens examples.`}, words)
  : h('span', {title: OUTCOMES[outcome] || null}, words));

/* What there are examples of comes first. */
const first_examples = (list) => [...list.filter(([name]) => EXAMPLES.includes(name)), ...list.filter(([name]) => !EXAMPLES.includes(name))];

function other_outcomes(one, outcomes, without) {
  const list = first_examples(Object.entries(outcomes).filter(([name, count]) => count > 0 && !without.includes(name)));
  return list.length ? list.flatMap(([name, count], i) => [i ? ', ' : '', outcome_words(one, name, `${say(name)} ${number(count)}`)]) : h('span.undecided', {}, '–');
}

/* From triggers to goals: of what started, how much came to each step, and what became of it there. */
function funnel(one) {
  const part = (count) => (one.started ? count / one.started : 0);
  const line = (key, name, count, rest) => ({key, cells: [name, number(count), share(part(count)), bar(part(count)), rest]});
  const begun = ['started', 'sent', 'held', 'goal', 'skipped', 'capped', 'blocked', 'deferred', 'stale', 'failed', 'answered', 'unanswered', 'set'];
  const rows = [line('started', 'Started', one.started, other_outcomes(one, one.outcomes, begun)),
    ...one.steps.flatMap((step) => {
      const reached = (step.outcomes.sent || 0) + (step.outcomes.held || 0);
      const feedback = Object.entries(step.feedback || {}).map(([name, count]) => `${say(name)} ${number(count)}`).join(', ');
      return [line(`step ${step.step}`, `Step ${step.step}`, reached, [other_outcomes(one, step.outcomes, ['due']), feedback && h('span.beside', {}, feedback)])];
    }),
    line('goal', 'Goal', one.goals, one.value ? `worth ${amount(one.value)}, ${amount(one.value_per_person)} for each of ${plural(one.people, 'customer', 'customers')}` : h('span.undecided', {}, '–'))];
  return section('Step by step', h('p.note', {}, 'Sends and held sends of each step, as a part of the runs that started.'),
    table('Step by step', [{name: 'Step'}, {name: 'Reached', is_number: true}, {name: 'Of started', is_number: true}, {name: 'As a bar', is_bar: true}, {name: 'What became of it'}], rows, {class: 'funnel'}));
}

function variants(one) {
  if (one.variants.length < 2 && one.variants[0]?.variant === null) return null;
  const best = Math.max(...one.variants.map((of) => of.conversion || 0));
  const compared = (of, what) => {
    const found = one.lift.find((lifted) => lifted.variant === of.variant);
    return found ? h(`span.${word_class(found[what])}`, {title: `over ${found.over}: ${number(found[what].low)} to ${number(found[what].high)}`}, found[what].words) : h('span.undecided', {}, '–');
  };
  return section('Variants', table('Variants', [{name: 'Variant'}, {name: 'Customers', is_number: true}, {name: 'Reached the goal', is_number: true}, {name: 'Conversion', is_number: true}, {name: 'Difference'},
    {name: 'Value each', is_number: true}, {name: 'Difference'}], one.variants.map((of) => ({key: of.variant ?? '',
    cells: [h('span.name', {}, of.variant ?? 'all'), number(of.people), number(of.won), [share(of.conversion), bar(best > 0 ? of.conversion / best : 0)], compared(of, 'conversion'), amount(of.value_per_person), compared(of, 'value')]}))),
  h('p.note.below', {}, 'A difference is said only when it is beyond chance however often one looks; until then: not yet told apart.'));
}

function not_sent(one) {
  return one.not_sent.length > 0 && section('Why not sent', table('Why not sent', [{name: 'Why'}, {name: 'By'}, {name: 'Times', is_number: true}],
    one.not_sent.map(({why, by, count}) => ({key: `${why} ${by}`, cells: [h('span', {title: OUTCOMES[why] || null}, say(why)), by ? h('span.name', {}, by) : h('span.undecided', {}, '–'), number(count)]})), {class: 'narrow'}));
}

/* ---- its text */
/* Outcomes that belong to a keyword, in the margin of its line. */
const MARGIN = {on: ['started', 'rearmed', 'restarted', 'collected'], again: [], cancel: ['cancelled', 'overtaken'], while: ['ended'], cooldown: ['cooling'], stale: ['stale'], most: ['full'], if: ['error']};

function margin(one, {path}) {
  if (path.length === 1 && path[0] === 'goal') return one.goals ? [[`goal ${number(one.goals)}`, 'goal']] : [];
  if (path.length === 2 && path[0] === 'do') {
    const step = one.steps.find((of) => of.step === path[1] + 1);
    return step ? first_examples(Object.entries(step.outcomes).filter(([name, count]) => count > 0 && name !== 'due')).map(([name, count]) => [`${say(name)} ${number(count)}`, name]) : [];
  }
  if (path.length === 2 && path[0] === 'split') {
    const variant = one.variants.find((of) => of.variant === path[1]);
    return variant ? [[plural(variant.people, 'customer', 'customers'), null]] : [];
  }
  return path.length === 1 && Object.hasOwn(MARGIN, path[0]) ? MARGIN[path[0]].filter((name) => one.outcomes[name] > 0).map((name) => [`${say(name)} ${number(one.outcomes[name])}`, name]) : [];
}

/* Its tests come last and are long: they are folded. */
function source_lines(one, part) {
  const notes = part.lines.map(() => []), tests = part.parts.find(({path}) => path.length === 1 && path[0] === 'tests');
  for (const place of part.parts) notes[place.line].push(...margin(one, place));
  const line = (text, i) => h('li', {value: part.first + i, class: notes[i].length ? 'noted' : null},
    h('span.margin', {}, notes[i].map(([words, outcome]) => h('span', {}, outcome_words(one, outcome, words)))), h('code', {}, colour(text)));
  const all = part.lines.map(line);
  if (!tests || tests.end - tests.line < FOLD_LINES) return h('ol.source', {}, all);
  return [h('ol.source', {}, all.slice(0, tests.line)),
    h('details.tests', {}, h('summary', {}, `${plural(tests.end - tests.line + 1, 'line', 'lines')} of tests`), h('ol.source', {}, all.slice(tests.line, tests.end + 1))),
    tests.end + 1 < all.length && h('ol.source', {}, all.slice(tests.end + 1))];
}

function source(one, texts) {
  const files = (texts?.sets || []).flatMap((set) => set.files.filter((file) => file.kind === undefined));
  for (const file of files) {
    const part = excerpt(file.text, one.rule);
    if (part) return section('Its text', h('p.note', {}, `${file.name}, from line ${part.first}; beside it what each part has done.`), source_lines(one, part));
  }
  return files.length > 0 && section('Its text', nothing('No rule of this name is in force.', 'It has been taken out of the rule files, or renamed; what it has done stays counted.'));
}

/* The comment of a line stands back. */
function colour(text) {
  const found = /^((?:[^"/]|"(?:[^"\\]|\\.)*"|\/(?!\/))*)(\/\/.*)$/.exec(text);
  return found ? [found[1], h('span.comment', {}, found[2])] : text || ' ';
}

/* ---- examples */
function example({partition, offset, time_ms, action}) {
  const customer = action.customer ?? action.visitor, options = action.customer === undefined ? '?visitor=1' : '';
  return {key: `${partition}/${offset}`, cells: [h('a.name', {href: `#/customer/${encodeURIComponent(customer)}${options}`}, customer), time(time_ms), number(action.step), action.variant || '–',
    h('details', {}, h('summary', {}, action.action ?? say(action.outcome ?? 'action'), action.key ? h('span.beside', {}, action.key) : null), action.models && h('p.below', {}, 'Decided by ', decided_by(action.models)), h('pre', {}, JSON.stringify(action, null, 2)))]};
}

function examples(one, outcome, {examples: list, examples_trouble: trouble, now}) {
  const title = `Examples: ${say(outcome)}`, about = h('p.note', {}, OUTCOMES[outcome] || '', ' ', h('a', {href: link(one.rule)}, 'Close'));
  if (!now.customers) return section(title, about, nothing('Customers are not shown here.', 'This server was started with --no-customers.'));
  if (!now.examples) return section(title, about, nothing('This server does not read what is published.', 'Start relance serve with --output and --kafka.bootstrap.servers, and the newest actions stand here.'));
  if (!list) return section(title, about, nothing(trouble || 'Reading…'));
  if (!list.examples.length) return section(title, about, nothing('No example is at hand.', 'The newest actions since this server was started are kept: the next one of this rule will stand here.'));
  return section(title, about, table(title, [{name: 'Customer'}, {name: 'When'}, {name: 'Step', is_number: true}, {name: 'Variant'}, {name: 'What'}], list.examples.map(example)));
}

function one_rule(name, outcome, known) {
  const {report, report_trouble: trouble, texts} = known, back = h('a', {href: '#/rules'}, 'All rules');
  if (!report) return [heading(name, back), waiting(trouble)];
  const one = report.rules.find((of) => of.rule === name);
  if (!one) return [heading(name, back), nothing('This rule has done nothing yet.', 'It stands here from its first trigger on.'), source({rule: name, outcomes: {}, steps: [], variants: [], goals: 0}, texts)];
  return [heading(name, back),
    tiles(tile('Started', number(one.started)), tile('Sent', number(one.sent), one.started ? `${share(one.sent / one.started)} of started` : null), tile('Held', number(one.held), one.held ? 'measured, not sent' : null),
      tile('Goal', number(one.goals), one.value ? `worth ${amount(one.value)}` : null), tile('Over the holdout', lift(one), null, {class: 'tile words'})),
    outcome && examples(one, outcome, known), funnel(one), variants(one), not_sent(one), source(one, texts)];
}

export function rules(known) {
  const [name, outcome] = known.here.path;
  return name === undefined ? all_rules(known) : one_rule(name, outcome, known);
}
