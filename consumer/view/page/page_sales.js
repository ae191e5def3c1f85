/* Sales: what first, second and later orders bring, net of refunds; over time; and how many of a month's new customers come back. */
import {h} from './dom.js';
import {bar, figure, swatch} from './chart.js';
import {choice, chosen, heading, nothing, section, table, tile, tiles, waiting} from './parts.js';
import {amount, day, day_and_month, money, month, number, plural, share} from './words.js';

const CLASSES = [['first', 'First orders'], ['second', 'Second orders'], ['repeat', 'Later orders']];
const SPANS = [['day', 'Day'], ['week', 'Week'], ['month', 'Month']];
const NEWEST = {day: 60, week: 53, month: 36}; /* of each that are shown */
const MEASURES = [['active', 'Who came back'], ['net', 'Net, in all']];
const FIGURES = ['orders', 'orders_refunded'];
const SHADES = 9;
const UNIT = 10000; /* of money: sums of whole ten-thousandths are exact */

export const currencies_of = (report) => Object.keys(report.sales.all.money).sort((a, b) =>
  report.sales.all.money[b].net - report.sales.all.money[a].net);

export function currency_choice(currencies, changed) {
  return currencies.length > 1 && choice('currency', 'Currency', currencies.map((one) => [one, one]), changed);
}

export const currency_chosen = (currencies) => (currencies.length ? chosen('currency', currencies.map((one) => [one, one])) : null);

export function undeclared() {
  return nothing('These rules say nothing about sales yet.',
    'Declare "sales" in a rule file: which event is an order, what it is worth, and where customers come from. From then on orders count, live and net of refunds.',
    'relance report --events FILE gives the same of older orders, from a file.');
}

const money_of = (sales, currency) => sales.money[currency] || {gross: 0, refunded: 0, net: 0, aov: null};

/* ---- of all time */
function class_tile(report, currency, [name, title], n) {
  const sales = report.sales[name], all = money_of(report.sales.all, currency).net, mine = money_of(sales, currency);
  return tile(h('span', {}, swatch(n), ' ', title), all > 0 ? share(mine.net / all) : '–',
    [h('span.strong', {}, money(mine.net, currency)), ' net, ', plural(sales.orders, 'order', 'orders'),
      mine.aov !== null && `, ${money(mine.aov, currency)} each`], {'data-key': name});
}

/* ---- over time */
/* The Monday of a day's week; the first of its month. */
function begin_of(span, text) {
  if (span === 'month') return text.slice(0, 7);
  if (span === 'day') return text;
  const date = new Date(`${text}T00:00:00Z`);
  date.setUTCDate(date.getUTCDate() - ((date.getUTCDay() + 6) % 7));
  return date.toISOString().slice(0, 10);
}

const label_of = {day, week: (text) => `Week of ${day(text)}`, month};
const short_label_of = {day: day_and_month, week: day_and_month, month};

function add(sum, sales, currency) {
  for (const name of FIGURES) sum[name] += sales[name];
  for (const name of ['gross', 'refunded', 'net']) sum[name] += Math.round(money_of(sales, currency)[name] * UNIT);
}

const empty = () => ({orders: 0, orders_refunded: 0, gross: 0, refunded: 0, net: 0});

/* [{begin, first, second, repeat, all}], the oldest first; days without sales between others are there, too. */
export function by_span(days, span, currency) {
  const spans = new Map();
  const at = (text) => {
    const begin = begin_of(span, text);
    if (!spans.has(begin)) spans.set(begin, {begin, first: empty(), second: empty(), repeat: empty(), all: empty()});
    return spans.get(begin);
  };
  if (days.length) for (let date = new Date(`${days[0].day}T00:00:00Z`); ; date.setUTCDate(date.getUTCDate() + 1)) {
    const text = date.toISOString().slice(0, 10);
    if (text > days.at(-1).day) break;
    at(text);
  }
  for (const one of days)
    for (const [name] of CLASSES) for (const into of [name, 'all']) add(at(one.day)[into], one[name], currency);
  return [...spans.values()];
}

function spans_table(spans, span, currency) {
  const columns = [{name: span[0].toUpperCase() + span.slice(1)}, ...CLASSES.map(([, title]) => ({name: title, is_number: true, title: 'net, and orders'})),
    {name: 'Gross', is_number: true}, {name: 'Refunded', is_number: true, title: 'of orders of then, whenever it was given back'}, {name: 'Net', is_number: true}, {name: 'Orders', is_number: true}];
  const rows = [...spans].reverse().map((one) => ({key: one.begin, cells: [label_of[span](one.begin),
    ...CLASSES.map(([name]) => [amount(one[name].net / UNIT), ' ', h('span.beside', {}, number(one[name].orders))]),
    amount(one.all.gross / UNIT), amount(one.all.refunded / UNIT), h('strong', {}, amount(one.all.net / UNIT)), number(one.all.orders)]}));
  return table(`Sales by ${span}, ${currency}`, columns, rows, {class: 'tall'});
}

function over_time(report, currency, changed) {
  const span = chosen('span', SPANS), spans = by_span(report.sales.days, span, currency).slice(-NEWEST[span]);
  if (!spans.length) return section('Over time', nothing('No orders in this time.', 'The days of the last 800 are kept; choose a longer time.'));
  const values = (name) => spans.map((one) => one[name].net / UNIT);
  const sum = spans.reduce((total, one) => total + one.all.net, 0) / UNIT;
  return section('Over time', choice('span', 'By', SPANS, changed),
    figure({title: `Net by ${span}`, kind: 'bars', of: span, labels: spans.map((one) => short_label_of[span](one.begin)),
      series: CLASSES.map(([name, title]) => ({name: title, values: values(name)})), format: (value) => money(value, currency),
      now: `${money(sum, currency)} in ${plural(spans.length, span, `${span}s`)}`,
      summary: `Net sales by ${span}, stacked: first, second and later orders; ${money(sum, currency)} in all. The table below has the numbers.`}),
    spans_table(spans, span, currency));
}

/* ---- second orders */
function second_orders(report) {
  const second = report.second_order, after = second.after.filter((one) => one.customers > 0), most = Math.max(0, ...after.map((one) => one.share));
  let below = 0;
  const words = (one) => (one.days === null ? 'later' : `day ${below + 1} to ${one.days}`);
  return section('The second order',
    tiles(tile('Customers who ordered again', share(second.rate), `${number(second.twice + second.more)} of ${plural(second.customers, 'customer', 'customers')}`),
      tile('Within 90 days', share(second.within_90_days.rate), `${number(second.within_90_days.again)} of ${number(second.within_90_days.customers)} whose first order is that old`),
      tile('Half of them came back within', second.median_days === null ? '–' : plural(second.median_days, 'day', 'days'), 'the time for a reminder is before')),
    after.length > 0 && table('Time to the second order', [{name: 'After the first'}, {name: 'Customers', is_number: true}, {name: 'Of all who did', is_number: true}, {name: 'As a bar', is_bar: true}],
      second.after.map((one) => {
        const row = {key: String(one.days), cells: [words(one), number(one.customers), share(one.share), bar(most > 0 ? one.share / most : 0)]};
        below = one.days;
        return row;
      }), {class: 'narrow'}));
}

/* ---- cohorts */
const shade = (value) => `shade-${Math.max(0, Math.min(SHADES, Math.round(value * SHADES)))}`;

function cohort_cell(one, measure, currency, sum, most) {
  if (!one) return h('span.unseen', {}, 'not yet');
  const text = measure === 'active' ? share(one.active) : amount(sum / UNIT);
  const part = measure === 'active' ? (one.k ? Math.min(1, one.active / most) : 1) : sum / most;
  return h('span.shaded', {class: `shaded ${shade(part)}${one.over ? '' : ' so-far'}`,
    title: `${plural(one.customers, 'customer', 'customers')}, ${plural(one.orders, 'order', 'orders')}, ${money(money_of(one, currency).net, currency)} net${one.over ? '' : '; this month is not over'}`},
    text, !one.over && [' ', h('span.beside', {}, 'so far')]);
}

function cohorts(report, currency, changed) {
  const list = report.cohorts.filter((one) => one.customers > 0);
  if (!list.length) return null;
  const measure = chosen('cohorts', MEASURES), count = Math.max(...list.map((one) => one.months.length));
  const sums = list.map((one) => {
    let sum = 0;
    return one.months.map((of) => (sum += Math.round(money_of(of, currency).net * UNIT)));
  });
  const most = measure === 'active' ? Math.max(0.01, ...list.flatMap((one) => one.months.filter((of) => of.k > 0).map((of) => of.active || 0))) : Math.max(1, ...sums.flat());
  const columns = [{name: 'First order in'}, {name: 'Customers', is_number: true}, ...Array.from({length: count}, (_, k) => ({name: k ? `+${k}` : 'month 0', is_number: true, title: `${plural(k, 'month', 'months')} after`}))];
  const rows = [...list].map((one, i) => ({key: one.month, cells: [month(one.month), number(one.customers),
    ...Array.from({length: count}, (_, k) => cohort_cell(one.months.find((of) => of.k === k), measure, currency, sums[i][one.months.findIndex((of) => of.k === k)], most))]}));
  return section('Cohorts', h('div.row', {}, choice('cohorts', 'Show', MEASURES, changed),
    h('p.note', {}, measure === 'active' ? 'Of the customers of a month, how many ordered in each month since.' : `What a month's customers have brought in up to then, ${currency}.`)),
    table('Cohorts by the month of the first order', columns, rows, {class: 'cohorts'}));
}

/* ---- what could not be counted */
const ODD = [['orders_updated', 'orders told of again, counted once'], ['orders_invalid', 'orders without a total that is money'],
  ['orders_beyond', 'orders older than a customer\'s newest 64'], ['refunds_unmatched', 'refunds of no known order'], ['refunds_cut', 'refunds of more than the order']];

function small_print(report) {
  const odd = ODD.filter(([name]) => report.sales[name] > 0);
  return odd.length > 0 && section('Not as simple', h('ul.plain', {}, odd.map(([name, what]) => h('li', {}, h('strong', {}, number(report.sales[name])), ` ${what}`))));
}

export function sales({report, report_trouble: trouble, changed}) {
  if (!report) return [heading('Sales'), waiting(trouble)];
  if (!report.sales.declared && !report.sales.all.orders) return [heading('Sales'), undeclared()];
  const currencies = currencies_of(report), currency = currency_chosen(currencies);
  if (!currency) return [heading('Sales'), nothing('No orders yet.', 'Sales are declared; the first order that comes will stand here.')];
  return [
    heading('Sales', currency_choice(currencies, changed)),
    h('p.note', {}, 'Net of refunds, of all time', report.zone && `; days and months are those of ${report.zone}`, currencies.length > 1 && '; currencies are never added up', '.'),
    tiles(CLASSES.map((one, n) => class_tile(report, currency, one, n)),
      tile('In all', money(money_of(report.sales.all, currency).net, currency), [money(money_of(report.sales.all, currency).gross, currency), ' gross, ', money(money_of(report.sales.all, currency).refunded, currency), ' refunded'])),
    over_time(report, currency, changed),
    second_orders(report),
    cohorts(report, currency, changed),
    small_print(report),
  ];
}
