/* The overview: is all at work, how much goes through, and what needs a look, in words, with what to do about it. */
import {h} from './dom.js';
import {figure} from './chart.js';
import {choice, chosen, heading, nothing, section, table, tile, tiles} from './parts.js';
import {models_old} from './page_learnt.js';
import {amount, clock_words, duration, number, plural, time, week_words} from './words.js';

const MINUTE_MS = 60000;
const RANGES = [['1', '1 h'], ['6', '6 h'], ['48', '48 h']]; /* hours */
const SERIES_MAX = 8; /* of one question to /api/minutes */
const ODD_PART = 0.001; /* of the events, from which on what is odd needs a look: as alerts.yml has it */
const CHECKPOINT_S = 30;
const RULES_TOLD = 5;

const sum = (list, of) => list.reduce((total, one) => total + (of(one) || 0), 0);
const count = (now, name) => now.counters[name] || 0;
const beginning = (now, prefix) => Object.entries(now.counters).filter(([name, value]) => name.startsWith(prefix) && value > 0);

/* ---- what needs a look */
/* Each looks at the newest figures and gives [{grade: 'bad' or 'warn', what, todo}]. */
const LOOKS = [
  function nobody_works(now) {
    return Object.keys(now.live).length ? [] : [{grade: 'bad', what: 'No engine is at work', todo: 'Events wait in Kafka and nothing is lost. Start one with relance run.'}];
  },
  function partitions_without_owner(now) {
    const none = now.partitions.filter((one) => one.state === 'nobody').length;
    return none && Object.keys(now.live).length ? [{grade: 'bad', what: `${plural(none, 'partition has', 'partitions have')} no engine`, todo: 'Within a minute the others take over what one has left. If this stays, an instance is missing: start it again.'}] : [];
  },
  function servers_away(now) {
    return Object.entries(now.live).flatMap(([instance, live]) => [['redis_refuses', 'Redis does not answer, or refuses what is written'], ['kafka_away', 'Kafka does not answer']]
      .filter(([name]) => Number(live[name]) > 0).map(([name, what]) => ({grade: 'bad', what: `${instance}: ${what}`,
        todo: [Number(live[`${name}_since`]) > 0 && ['Since ', time(Number(live[`${name}_since`]) * 1000), '. '], 'It goes on by itself as soon as it can.']})));
  },
  function checkpoints_old(now) {
    const worst = Math.max(0, ...now.partitions.map((one) => one.checkpoint_age_s || 0));
    return worst > CHECKPOINT_S ? [{grade: 'bad', what: `The oldest checkpoint is ${duration(worst)} old`, todo: 'The log of its engine says why none is written.'}] : [];
  },
  function catching_up(now) {
    const list = now.partitions.filter((one) => one.state !== 'nobody' && one.state !== 'live');
    return list.length ? [{grade: 'warn', what: `${plural(list.length, 'partition is', 'partitions are')} catching up`, todo: 'After a start or a takeover; what had been decided is decided again, silently.'}] : [];
  },
  function transactions_failed(now) {
    const failed = sum(Object.values(now.live), (live) => Number(live.transactions_failed));
    return failed ? [{grade: 'warn', what: `${plural(failed, 'transaction was', 'transactions were')} given up`, todo: 'Each is tried again, and nothing is published twice. Many in a row mean that Kafka is slow.'}] : [];
  },
  function dead_letters(now) {
    const list = beginning(now, 'dead.'), all = sum(list, ([, value]) => value);
    return all ? [{grade: 'warn', what: `${plural(all, 'dead letter', 'dead letters')}: ${list.map(([name, value]) => `${name.slice(5)} ${number(value)}`).join(', ')}`,
      todo: 'Records that could not be read. They stand unchanged in the topic of dead letters, with the reason as a header.'}] : [];
  },
  function odd_events(now) {
    return [['events_miskeyed', 'events whose key is not their customer', 'Whoever produces them has to use the customer as the key, or one customer is decided in two places.'],
      ['events_misplaced', 'events in another partition than that of their key', 'A producer chooses partitions in its own way: see "misplaced" in the manual.'],
      ['fields_invalid', 'values that did not fit their type', 'The field was left out; the log says which one.']]
      .filter(([name]) => count(now, name) > ODD_PART * Math.max(1, count(now, 'events')))
      .map(([name, what, todo]) => ({grade: 'warn', what: `${number(count(now, name))} ${what}`, todo}));
  },
  function rules_fail(now) {
    const list = now.rules.filter(({decided}) => (decided.failed || 0) + (decided.error || 0) > 0);
    return list.slice(0, RULES_TOLD).map((one) => ({grade: 'warn', what: [h('a', {href: `#/rules/${encodeURIComponent(one.name)}`}, one.name || 'Outside of rules'), ': ',
      [one.decided.failed && `${plural(one.decided.failed, 'step has', 'steps have')} failed`, one.decided.error && `${plural(one.decided.error, 'condition', 'conditions')} could not be evaluated`].filter(Boolean).join(', ')],
      key: one.name, todo: 'Its page says which sentence; the log has an example.'})).concat(list.length > RULES_TOLD ? [{grade: 'warn', what: `… and ${plural(list.length - RULES_TOLD, 'other rule', 'other rules')}`, todo: ''}] : []);
  },
  function same_name(now) {
    return Object.entries(now.live).filter(([, live]) => Number(live.same_name) > 0).map(([instance]) => ({grade: 'warn', what: `Another process calls itself ${instance}, too`, todo: 'Give each its own --instance.'}));
  },
  models_old,
  function rules_refused(now) {
    const refused = sum(Object.values(now.live), (live) => Number(live.rules_refused));
    return refused ? [{grade: 'warn', what: `${plural(refused, 'change of the rules was', 'changes of the rules were')} refused`, todo: 'The rules before stay in force. relance check says what is wrong with the new ones.'}] : [];
  },
];

/* The worst first. */
export function troubles(now) {
  const all = now ? LOOKS.flatMap((look_at) => look_at(now)) : [];
  return [...all.filter((one) => one.grade === 'bad'), ...all.filter((one) => one.grade !== 'bad')];
}

function looks(now) {
  const list = troubles(now);
  return section('What needs a look', h('ul.look', {}, list.length
    ? list.map((one) => h(`li.${one.grade}`, {}, h('span.grade', {}, one.grade === 'bad' ? 'Now' : 'Soon'), h('div', {}, h('p', {}, one.what), one.todo && h('p', {}, one.todo))))
    : h('li.fine', {}, h('span.grade', {}, 'Nothing'), h('div', {}, h('p', {}, 'All is at work.'), h('p', {}, 'Every partition has an engine, nothing was given up, every record could be read.')))));
}

/* ---- how much goes through */
/* What is asked of /api/minutes: events, the lag, and of the channels those that have most. */
function series_names(now) {
  const channels = beginning(now, 'sent.').sort((a, b) => b[1] - a[1]).map(([name]) => name);
  return ['events', 'lag', ...channels.slice(0, SERIES_MAX - 2)];
}

/* Minutes are those of the wall clock in force, whose newest instant is the end. */
export function overview_needs(here, now) {
  if (!now?.partitions.length) return {};
  const hours = Number(chosen('range', RANGES)), wall_ms = Math.max(0, ...now.partitions.map((one) => one.wall_ms || 0)) || Date.now();
  const from_ms = Math.floor(wall_ms / MINUTE_MS - hours * 60) * MINUTE_MS, names = series_names(now);
  return {minutes: [`/api/minutes?${names.map((name) => `name=${encodeURIComponent(name)}&`).join('')}from=${from_ms}`, 10000, `minutes ${hours}`]};
}

/* The newest minute still goes on and would always look like a fall: it is left out, unless it is the first. */
function values_of(minutes, names, factor) {
  const values = Array.from({length: minutes.minutes}, (_, i) => {
    const known = names.map((name) => minutes.series[name]?.[i]).filter((value) => typeof value === 'number');
    return known.length ? known.reduce((total, value) => total + value, 0) * factor : null;
  });
  return values.slice(0, -1).some((value) => value) ? values.slice(0, -1) : values;
}

function chart(title, minutes, names, factor, unit) {
  const values = values_of(minutes, names, factor), most = Math.max(0, ...values), is_long = values.length > 24 * 60;
  const words = values.some((value) => value !== null) ? `${number(values.at(-1))} in the last minute, ${number(most)} at most` : 'nothing is known yet';
  return figure({title, labels: values.map((_, i) => (is_long ? week_words : clock_words)(minutes.from_ms + i * minutes.step_ms)), series: [{name: unit, values}],
    now: words, summary: `${title}: ${words}, ${plural(values.length, 'minute', 'minutes')} in all`});
}

const lag_of = (now) => sum(now.partitions, (one) => one.lag);

function flow(now, minutes, changed) {
  const channels = series_names(now).slice(2);
  return section('What goes through', choice('range', 'Of the last', RANGES, changed), minutes
    ? h('div.charts', {}, chart('Events a second', minutes, ['events'], 1 / 60, 'events/s'), chart('Actions a minute', minutes, channels, 1, 'actions/min'), chart('Lag', minutes, ['lag'], 1, 'records'))
    : h('p.note', {}, 'Reading…'));
}

/* ---- who does the work */
const STATES = {nobody: 'nobody has it', unclaimed: 'waits to be claimed', behind: 'catches up', live: 'live'};

function partitions(now) {
  const rows = now.partitions.map((one, n) => ({key: n, class: one.state === 'nobody' ? 'odd' : null, cells: [number(n), one.instance || '–', STATES[one.state] || one.state, number(one.lag), duration(one.checkpoint_age_s), duration(one.clock_behind_s), time(one.clock_ms)]}));
  return section('Partitions', table('Partitions', [{name: 'Partition'}, {name: 'Instance'}, {name: 'State'}, {name: 'Lag', is_number: true, title: 'records that wait to be decided'},
    {name: 'Unsaved', is_number: true, title: 'how long the oldest change has waited for a checkpoint'}, {name: 'Behind', is_number: true, title: 'from its clock to the wall clock, while it has records to read'}, {name: 'Its clock', title: 'how far its events have come'}], rows, {class: 'tall'}));
}

function instances(now) {
  const list = Object.entries(now.live);
  return list.length > 0 && section('Instances', table('Instances', [{name: 'Instance'}, {name: 'Version'}, {name: 'Up for', is_number: true}, {name: 'Partitions', is_number: true}, {name: 'Events/s', is_number: true}, {name: 'Transaction', is_number: true, title: 'of a hundred, 99 are quicker'}, {name: 'Memory', is_number: true}],
    list.map(([name, live]) => ({key: name, cells: [h('span.name', {}, name), String(live.version ?? '–'), duration(Number(live.uptime_s)), number(Number(live.partitions)), number(Number(live.events_per_s)),
      live.kafka_p99_ms === undefined ? '–' : `${number(Number(live.kafka_p99_ms))} ms`, live.rss_bytes === undefined ? '–' : `${number(Math.round(Number(live.rss_bytes) / 1048576))} MiB`]}))));
}

export function overview({now, minutes, changed}) {
  const lives = Object.values(now.live), live = now.partitions.filter((one) => one.state === 'live').length, rate = sum(lives, (one) => Number(one.events_per_s));
  const lag = lag_of(now), oldest = Math.max(0, ...now.partitions.map((one) => one.checkpoint_age_s || 0));
  const sent = sum(beginning(now, 'sent.'), ([, value]) => value), goals = sum(now.rules, (one) => one.decided.goal);
  if (!now.partitions.length) return [heading('Overview'), nothing('There is no group to show yet.', `Nothing stands in Redis for ${now.group} on ${now.topic}. It does as soon as relance run has been started with this group and topic.`)];
  return [heading('Overview', h('p.note', {}, `${now.group} on ${now.topic}`)),
    tiles(tile('Instances', number(lives.length), lives.length ? `${number(live)} of ${plural(now.partitions.length, 'partition', 'partitions')} live` : 'nobody is at work', {class: live < now.partitions.length ? 'tile odd' : 'tile'}),
      tile('Events a second', number(rate), `${number(count(now, 'events'))} since ever`),
      tile('Lag', number(lag), rate > 0 && lag > 0 ? `records, about ${duration(lag / rate)}` : 'records wait'),
      tile('Oldest unsaved change', duration(oldest), oldest > 0 ? 'until the next checkpoint' : 'all is saved', {class: oldest > CHECKPOINT_S ? 'tile odd' : 'tile'}),
      tile('Actions', number(sent), beginning(now, 'sent.').sort((a, b) => b[1] - a[1]).slice(0, 3).map(([name, value]) => `${name.slice(5)} ${number(value)}`).join(', ') || 'none yet'),
      tile('Goals', number(goals), goals ? `worth ${amount(sum(now.rules, (one) => one.decided.goal_value))}` : 'none yet')),
    looks(now), flow(now, minutes, changed), partitions(now), instances(now)];
}
