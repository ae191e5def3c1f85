/* The live view: what is asked of the server, and when; which page is shown; what the status line says.
 *
 * A page is a function (page_NAME.js) of what is known; the address behind the # says which page, and whose. What a page needs is
 * asked for again every few seconds, as long as somebody looks: not in a hidden tab, and not while it is paused. What has been
 * read stays on the page when the server is gone; the status line says so, and how old it is. */
import {draw, h, remember, remembered} from './dom.js';
import {said} from './ask.js';
import {plural, duration} from './words.js';
import {heading, nothing} from './parts.js';
import {overview, overview_needs, troubles} from './page_overview.js';
import {rules, rules_needs} from './page_rules.js';
import {customer, customer_left} from './page_customer.js';
import {sales} from './page_sales.js';
import {channels} from './page_channels.js';
import {learnt, learnt_needs} from './page_learnt.js';

const EVERY_MS = 2000, PATIENCE_MS = 5000;
const REPORT = {report: ['/api/report', 10000]};
const PAGES = {
  '': {name: 'Overview', page: overview, needs: overview_needs},
  rules: {name: 'Rules', page: rules, needs: rules_needs},
  customer: {name: 'Customer', page: customer, leave: customer_left},
  sales: {name: 'Sales', page: sales, needs: () => REPORT},
  channels: {name: 'Channels', page: channels, needs: () => REPORT},
  learnt: {name: 'Learnt', page: learnt, needs: learnt_needs},
};

const answers = new Map(); /* path → {value, etag, asked, got} */
const here = {page: '', path: [], options: new URLSearchParams()};
let paused = false, gone = null, locked = false;

/* ---- asking */
/* What a page needs is [path, how often in ms, the name under which its answer is kept: the path, where that does not change]. */
async function ask([path, , name = path]) {
  const known = answers.get(name) || {};
  answers.set(name, {...known, asked: Date.now()});
  const response = await fetch(path, {headers: known.etag ? {'If-None-Match': known.etag} : {}, signal: AbortSignal.timeout(PATIENCE_MS)});
  const answer = {...answers.get(name), got: Date.now(), age: Number(response.headers.get('Relance-Age') || 0)};
  locked = response.status === 401;
  if (response.status === 200) Object.assign(answer, {value: await response.json(), etag: response.headers.get('ETag'), trouble: null});
  else if (response.status !== 304) answer.trouble = await said(response);
  answers.set(name, answer);
}

const needs = () => ({now: ['/api/now', EVERY_MS], ...PAGES[here.page].needs?.(here, answers.get('/api/now')?.value)});
const kept = ([path, , name = path]) => answers.get(name);

async function look() {
  if (paused || document.hidden) return;
  const due = Object.values(needs()).filter((need) => Date.now() - (kept(need)?.asked || 0) >= need[1] - 100);
  try {
    await Promise.all(due.map(ask));
    if (due.length) gone = null;
    if (Object.values(needs()).some((need) => !kept(need))) setTimeout(look); /* what the first answers have made askable */
  } catch (error) {
    gone ??= {since: Date.now()};
    for (const [path, , name = path] of due) answers.set(name, {...answers.get(name), asked: 0}); /* at once, when it is back */
  }
  show();
}

/* ---- the status line */
function age_s() {
  const answer = answers.get('/api/now');
  return answer?.got ? (Date.now() - answer.got) / 1000 + answer.age : null;
}

function standing(now) {
  const age = age_s(), answer = answers.get('/api/now');
  if (locked) return ['gone', 'Locked', 'This server asks for its token.'];
  if (gone) return ['gone', 'The server does not answer', age === null ? 'It is asked again every two seconds.' : `What you see was read ${duration(age)} ago. It is asked again every two seconds.`];
  if (!answer?.got) return ['waiting', 'Connecting', ''];
  const trouble = answer.trouble || now?.trouble;
  if (trouble) return ['gone', 'Nothing newer', `${trouble.replace(/\.?$/, '.')} What you see was read ${duration(age)} ago.`];
  if (paused) return ['paused', 'Paused', `What you see was read ${duration(age)} ago.`];
  const [worst] = troubles(now);
  if (worst?.grade === 'bad') return ['gone', worst.what, ''];
  return [worst ? 'look' : 'live', worst ? 'Needs a look' : 'Live', ''];
}

function summary(now) {
  if (!now) return '';
  const live = now.partitions.filter((one) => one.state === 'live').length, lag = now.partitions.reduce((sum, one) => sum + (one.lag || 0), 0);
  return [plural(Object.keys(now.live).length, 'instance', 'instances'), `${live} of ${plural(now.partitions.length, 'partition', 'partitions')} live`,
    `lag ${plural(lag, 'record', 'records')}`, `${now.group} on ${now.topic}`].join(' · ');
}

function put(id, text) {
  const element = document.getElementById(id);
  if (element.textContent !== text) element.textContent = text; /* only what has changed is read out */
}

function show_status() {
  const now = answers.get('/api/now')?.value, [state, word, more] = standing(now);
  document.getElementById('status').dataset.state = state;
  put('state', word);
  put('age', more || summary(now));
}

/* ---- the page */
function known() {
  const found = {here, changed: show, look};
  for (const [name, need] of Object.entries(needs())) {
    found[name] = kept(need)?.value;
    found[`${name}_trouble`] = kept(need)?.trouble;
  }
  return found;
}

const unlock = () => [heading('Locked'), nothing('This server asks for its token.', 'Open /login?token=TOKEN once: this browser is then let in. The token is what stands in the file of --token-file, or in RELANCE_TOKEN.')];

function show() {
  const main = document.getElementById('main'), {page, name} = PAGES[here.page], facts = known();
  show_status();
  draw(document.getElementById('nav'), Object.entries(PAGES).filter(([key]) => key !== 'customer' || facts.now?.customers !== false).map(([key, one]) =>
    h('li', {}, h('a', {href: `#/${key}`, 'aria-current': key === here.page ? 'page' : null}, one.name))));
  document.title = [here.path[0], name, 'Relance'].filter(Boolean).join(' – ');
  if (locked) return draw(main, unlock());
  if (!facts.now && !facts.now_trouble) return draw(main, gone ? [heading(name), nothing('The server does not answer.', 'Is relance serve running? It is asked again every two seconds.')] : [heading(name), h('p.note', {}, 'Reading…')]);
  if (!facts.now) return draw(main, [heading(name), nothing('There is nothing to show yet.', facts.now_trouble)]);
  return draw(main, page(facts));
}

/* #/rules/NAME/…?option=… */
function go(is_first) {
  const [path, options] = location.hash.replace(/^#\/?/, '').split('?');
  const words = path.split('/').map((word) => {
    try {
      return decodeURIComponent(word);
    } catch {
      return word;
    }
  });
  const page = Object.hasOwn(PAGES, words[0]) ? words[0] : '';
  if (page !== here.page) PAGES[here.page].leave?.();
  Object.assign(here, {page, path: words.slice(1).filter((word) => word !== ''), options: new URLSearchParams(options)});
  show();
  if (is_first !== true) {
    scrollTo(0, 0);
    document.getElementById('main').focus({preventScroll: true});
  }
  look();
}

/* ---- the reader's choices */
function show_theme() {
  const theme = remembered('theme', matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light');
  if (remembered('theme', null)) document.documentElement.dataset.theme = theme;
  put('theme', theme === 'dark' ? 'Light theme' : 'Dark theme');
}

function turn_theme() {
  const dark = (document.documentElement.dataset.theme || (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light')) === 'dark';
  remember('theme', dark ? 'light' : 'dark');
  document.documentElement.dataset.theme = dark ? 'light' : 'dark';
  put('theme', dark ? 'Dark theme' : 'Light theme');
}

function turn_pause() {
  paused = !paused;
  put('pause', paused ? 'Go on' : 'Pause');
  look();
  show();
}

document.getElementById('skip').onclick = (event) => {
  event.preventDefault(); /* the address says which page is shown */
  document.getElementById('main').focus();
};
document.getElementById('theme').onclick = turn_theme;
document.getElementById('pause').onclick = turn_pause;
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', show_theme);
document.addEventListener('visibilitychange', look);
addEventListener('hashchange', go);
put('pause', 'Pause');
show_theme();
go(true);
setInterval(look, EVERY_MS);
setInterval(show_status, 1000);
