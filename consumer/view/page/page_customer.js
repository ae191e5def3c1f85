/* Customer: why somebody got something, or did not. A look-up by the exact id; how the customer stands now; and the story,
 * event by event, in which each line opens to the values that made it so. */
import {h} from './dom.js';
import {lines, said} from './ask.js';
import {heading, nothing, section, table} from './parts.js';
import {OUTCOMES} from './outcomes.js';
import {answers, decided_by} from './page_learnt.js';
import {number, plural, time} from './words.js';

const SPANS = [['1', '24 hours'], ['7', '7 days'], ['30', '30 days'], ['', 'The beginning']]; /* days */
const DAY_MS = 86400000;
const SHOWN = 100, REDRAW_MS = 150;
let shown = SHOWN, story = null;

/* ---- asking */
function address(id, days, is_visitor) {
  const options = new URLSearchParams();
  if (days !== SPANS[0][0]) options.set('days', days);
  if (is_visitor) options.set('visitor', '1');
  return `#/customer/${encodeURIComponent(id)}${options.size ? `?${options}` : ''}`;
}

/* Times are those of the wall clock in force, which is not ours where a shop's time runs faster. */
function from_of(now, days) {
  if (!days) return '';
  return `&from=${(Math.max(0, ...now.partitions.map((one) => one.wall_ms || 0)) || Date.now()) - Number(days) * DAY_MS}`;
}

/* What is being told: moments, each an event or the end of a wait with what came of it. Ends when somebody else is asked about. */
function take(line) {
  const {kind} = line;
  if (kind === 'progress') story.progress = line;
  else if (kind === 'end' || kind === 'error') Object.assign(story, {is_over: true, trouble: line.error});
  else if (kind === 'idle') story.idle.push(line);
  else if (kind === 'running') story.running.push(line);
  else if (kind === 'decision' || kind === 'note') {
    if (!story.moments.length) story.moments.push({kind: 'begin', lines: []});
    story.moments.at(-1).lines.push(line);
  } else story.moments.push({...line, lines: []});
}

async function tell(mine, query, changed) {
  let drawn = 0;
  try {
    const response = await fetch(`/api/story?${query}`, {signal: mine.ending.signal});
    if (!response.ok) mine.trouble = await said(response);
    else await lines(response, (line) => {
      if (mine !== story) return;
      take(line);
      if (Date.now() - drawn > REDRAW_MS) {
        drawn = Date.now();
        changed();
      }
    });
  } catch (error) {
    mine.trouble = error.name === 'AbortError' ? null : 'The story broke off: the server is gone.';
  }
  mine.is_over = true;
  if (mine === story) changed();
}

async function find(mine, query, changed) {
  try {
    const response = await fetch(`/api/customer?${query}`);
    if (response.ok) mine.found = await response.json();
    else Object.assign(mine, {is_unknown: response.status === 404, refused: await said(response)});
  } catch {
    mine.refused = 'The server does not answer.';
  }
  if (mine === story) changed();
}

function begin(key, id, days, is_visitor, now, changed) {
  customer_left();
  story = {key, id, moments: [], idle: [], running: [], ending: new AbortController()};
  shown = SHOWN;
  const query = `id=${encodeURIComponent(id)}${is_visitor ? '&visitor=1' : ''}`;
  find(story, query, changed);
  if (now.stories) tell(story, query + from_of(now, days), changed);
}

export function customer_left() {
  story?.ending.abort();
  story = null;
}

function form(id, days, is_visitor, again) {
  const go = (event) => {
    event.preventDefault();
    const {id: field, days: span, visitor} = event.target.elements, next = address(field.value, span.value, visitor.checked);
    if (next === location.hash) again();
    else location.hash = next;
  };
  return h('form.ask', {role: 'search', onsubmit: go, 'data-key': `form ${id}`},
    h('label.wide', {}, 'Customer, exactly as events have it', h('input', {type: 'text', name: 'id', value: id, required: true, autocomplete: 'off', spellcheck: 'false', maxlength: 256})),
    h('label', {}, 'Story from', h('select', {name: 'days'}, SPANS.map(([value, text]) => h('option', {value, selected: value === days}, text)))),
    h('label.check', {}, h('input', {type: 'checkbox', name: 'visitor', checked: is_visitor}), ' a visitor who is not known'),
    h('button.main', {type: 'submit'}, 'Look up'));
}

/* ---- how the customer stands */
const text_of = (value) => (typeof value === 'string' ? value : JSON.stringify(value));
const is_many = (value) => value !== null && typeof value === 'object' && !Array.isArray(value);

/* A value; of many by name, a line each. */
const value_of = (value) => (is_many(value) ? h('ul.plain', {}, Object.entries(value).map(([name, one]) => h('li', {}, `${name} `, h('strong', {}, text_of(one))))) : text_of(value));

const pairs = (title, object) => Object.keys(object || {}).length > 0 && section(title, h('dl.pairs', {}, Object.entries(object).map(([name, value]) =>
  h('div', {'data-key': name}, h('dt', {}, name), h('dd', {}, value_of(value))))));

function segments(state) {
  const held = Object.entries(state.segments || {}).filter(([, is_in]) => is_in).map(([name]) => name);
  return held.length > 0 && section('Segments', h('ul.badges', {}, held.map((name) => h('li', {}, name))));
}

function runs(state) {
  if (!state.runs?.length) return section('What is coming', h('p.note', {}, 'Nothing waits for this customer.'));
  return section('What is coming', table('What is coming', [{name: 'Rule'}, {name: 'Key'}, {name: 'Next'}, {name: 'Due'}, {name: 'Sent so far', is_number: true}, {name: 'Started'}],
    [...state.runs].sort((a, b) => String(a.due).localeCompare(String(b.due))).map((run) => ({key: `${run.rule} ${run.key} ${run.started}`, cells: [h('a.name', {href: `#/rules/${encodeURIComponent(run.rule)}`}, run.rule), h('span.name', {}, run.key ?? '–'),
      [`step ${run.step} of ${run.of} `, h('span.beside', {}, run.wait ? `waits for ${run.wait}` : run.send ?? ''), run.variant && h('span.beside', {}, run.variant)], run.parked ? 'when the visitor is known' : time(run.due), number(run.sent), time(run.started)]}))));
}

function standing() {
  const {found, refused, is_unknown, id} = story;
  if (is_unknown) return nothing(`Nothing is known of ${id}.`, 'Ids are looked up exactly: capitals and spaces count. Nothing is kept, either, where no event of this customer has been of use to a rule, or after relance forget.');
  if (refused) return nothing(refused);
  if (!found) return h('p.note', {}, 'Looking…');
  return found.states.map(({partition, state}) => h('div.state', {'data-key': partition},
    h('p.note', {}, `Partition ${partition}`, partition !== found.home && ', which is not that of the id: a producer chooses partitions in its own way', '; the newest event ', time(state.newest_event), `; ${number(state.bytes)} bytes.`),
    runs(state), h('div.columns', {}, pairs('Attributes', state.attributes), pairs('Counts', state.counts), segments(state)),
    state.cooldowns?.length > 0 && section('Cooling down', table('Cooling down', [{name: 'Rule'}, {name: 'Key'}, {name: 'Sent'}, {name: 'Until'}],
      state.cooldowns.map((one) => ({key: `${one.rule} ${one.key}`, cells: [one.rule, one.key ?? '–', time(one.sent), one.until ? time(one.until) : 'for ever']}))))));
}

/* ---- the story */
const json = (value) => h('pre', {tabindex: 0}, JSON.stringify(value, null, 2));

function told(line) {
  const outcome = line.decision?.outcome, rule = line.rule && h('a', {href: `#/rules/${encodeURIComponent(line.rule)}`}, line.rule);
  const [head, rest] = line.kind === 'note' && line.words.includes(': ') ? [line.words.slice(0, line.words.indexOf(': ')), line.words.slice(line.words.indexOf(': ') + 2)] : [line.words, ''];
  return h(`details.${line.kind}${outcome ? `.${outcome}` : ''}`, {}, h('summary', {}, h('span.rule', {}, line.rule || 'the customer', line.key ? ` ${line.key}` : ''), h('span.words', {title: OUTCOMES[outcome] || null}, head)),
    rest && h('p.why', {}, rest), line.learnt ? answers(line.learnt) : line.decision?.models && h('p', {}, 'Decided by ', decided_by(line.decision.models)), line.decision && json(line.decision), rule && h('p', {}, 'The rule: ', rule));
}

const HEADS = {event: (one) => one.type, duplicate: (one) => `${one.type}, again: ignored`, wait: () => 'a wait is over', unseen: (one) => one.type || 'a record', dead: (one) => `a dead letter${one.reason ? `: ${one.reason}` : ''}`, begin: () => 'before', unknown: (one) => `What ${one.affinity} answers from here on is not known, and is told as nothing: ${one.words}.`, partition: (one) => `partition ${one.partition}, from offset ${number(one.from_offset)}`};

function moment(one, n) {
  const acts = one.lines.filter((line) => line.kind === 'decision'), notes = one.lines.filter((line) => line.kind === 'note');
  return h(`li.${one.kind}`, {'data-key': n}, h('div.when', {}, time(one.time), one.local && h('span.beside', {}, one.local.replace(/^\((.*)\)$/, '$1'))),
    h('div.what', {}, one.event || one.record !== undefined
      ? h('details.head', {}, h('summary', {}, h('strong', {}, (HEADS[one.kind] || HEADS.begin)(one)), one.id && [' ', h('span.beside', {}, one.id)]), one.words && h('p', {}, one.words), one.event ? json(one.event) : h('pre', {tabindex: 0}, one.record))
      : h('p.head', {}, h('strong', {}, (HEADS[one.kind] || HEADS.begin)(one))),
    acts.map(told), notes.length > 0 && h('details.notes', {}, h('summary', {}, plural(notes.length, 'rule did not act', 'rules did not act')), notes.map(told))));
}

function progress() {
  if (story.is_over || !story.progress) return story.is_over ? null : h('p.note', {}, 'Reading the topic…');
  return h('p.note', {}, h('progress', {max: 1, value: story.progress.part, 'aria-label': 'How far the story is'}), ` ${plural(story.progress.events, 'record', 'records')} read`);
}

function tale(now, days, changed) {
  if (!now.stories) return section('Story', nothing('This server tells no stories.', 'They are read from the topic: start relance serve with --kafka.bootstrap.servers.'));
  const list = story.moments.map((one, n) => moment(one, n)).reverse(), count = story.moments.filter((one) => one.kind === 'event').length;
  return section('Story', progress(), story.trouble && nothing(story.trouble),
    h('p.note', {}, `${plural(count, 'event', 'events')}, the newest first. What came before the time chosen is not known to it.`),
    list.length ? h('ol.story', {}, list.slice(0, shown)) : story.is_over && !story.trouble && nothing('Nothing happened in this time.', 'Choose an earlier beginning.'),
    list.length > shown && h('button', {type: 'button', onclick: () => { shown += SHOWN; changed(); }}, `${number(list.length - shown)} more`),
    story.idle.length > 0 && h('details.notes', {}, h('summary', {}, plural(story.idle.length, 'rule has done nothing', 'rules have done nothing')), story.idle.map(told)));
}

export function customer({here, now, changed}) {
  const [id] = here.path, is_visitor = here.options.get('visitor') === '1', days = here.options.get('days') ?? SPANS[0][0];
  if (!now.customers) return [heading('Customer'), nothing('Customers are not shown here.', 'This server was started with --no-customers.')];
  const key = address(id ?? '', days, is_visitor); /* not the browser's, which may be ahead of what we have been told */
  const start = () => begin(key, id, days, is_visitor, now, changed);
  const ask = form(id ?? '', days, is_visitor, () => { start(); changed(); });
  if (id === undefined) {
    customer_left();
    return [heading('Customer'), ask, nothing('Whom is it about?', 'The id is looked up exactly as events have it, and each look-up is logged. Nobody is listed here.')];
  }
  if (story?.key !== key) start();
  return [heading(id), ask, standing(), tale(now, days, changed)];
}
