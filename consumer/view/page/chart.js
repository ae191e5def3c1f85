/* Charts as inline SVG: lines over time and stacked bars, each in a figure that gives its numbers as a table, too, at the press
 * of its button. The drawing is stretched to the width there is, so all text stands beside it, as HTML. */
import {draw, h, svg} from './dom.js';
import {number} from './words.js';

const WIDTH = 1000, HEIGHT = 100; /* of the drawing, in its own units */
const opened = new Set(); /* figures that show their numbers */
const pointed = new Map(); /* figure → where the pointer is, as a place in its values */

/* The least of 1, 2, 2.5, 5 × 10ⁿ that is not below: the end of the axis. */
function round_up(value) {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return power * [1, 2, 2.5, 5, 10].find((step) => step * power >= value * 0.999999);
}

const fixed = (value) => Number(value.toFixed(2));

/* A line for each stretch without gaps, and the surface below it. A lone value is a dot of a line. */
function line_paths(values, top) {
  const x = (i) => fixed(values.length > 1 ? (i * WIDTH) / (values.length - 1) : WIDTH / 2);
  const y = (value) => fixed(HEIGHT - (value * HEIGHT) / top);
  let line = '', area = '', begin = -1;
  for (let i = 0; i <= values.length; i++) {
    const is_there = i < values.length && values[i] !== null;
    if (is_there && begin < 0) {
      begin = i;
      line += `M${x(i)} ${y(values[i])}h0.01`;
      area += `M${x(i)} ${HEIGHT}L${x(i)} ${y(values[i])}`;
    } else if (is_there) {
      line += `L${x(i)} ${y(values[i])}`;
      area += `L${x(i)} ${y(values[i])}`;
    } else if (begin >= 0) {
      area += `L${x(i - 1)} ${HEIGHT}Z`;
      begin = -1;
    }
  }
  return [svg('path', {class: 'area', d: area}), svg('path', {class: 'line', d: line})];
}

function bar_rects(series, count, top) {
  const slot = WIDTH / count, width = Math.max(slot * 0.72, slot - 14);
  return Array.from({length: count}, (_, i) => {
    let below = 0;
    return series.map((one, n) => {
      const height = (Math.max(0, one.values[i] || 0) * HEIGHT) / top;
      below += height;
      return height > 0 && svg('rect', {class: `bar series-${n}`, x: fixed(i * slot + (slot - width) / 2), y: fixed(HEIGHT - below),
                                        width: fixed(width), height: fixed(height)});
    });
  });
}

function drawing(chart, at) {
  const count = chart.labels.length, is_bars = chart.kind === 'bars';
  const sums = chart.labels.map((_, i) => chart.series.reduce((sum, one) => sum + Math.max(0, one.values[i] || 0), 0));
  const top = round_up(Math.max(0, ...sums));
  const x = is_bars ? (at * WIDTH) / count + WIDTH / count / 2 : (at * WIDTH) / Math.max(1, count - 1);
  return h('div.plot', {},
    h('span.top-of-axis', {'aria-hidden': 'true'}, chart.format(top)),
    svg('svg', {viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', role: 'img', 'aria-label': chart.summary,
                class: is_bars ? 'bars' : 'lines', onpointermove: (event) => point(chart, event), onpointerleave: (event) => point(chart, event)},
      [0.02, HEIGHT / 2, HEIGHT - 0.02].map((y) => svg('line', {class: 'grid', x1: 0, x2: WIDTH, y1: y, y2: y})),
      is_bars ? bar_rects(chart.series, count, top) : line_paths(chart.series[0].values, top),
      at >= 0 && svg('line', {class: 'pointer', x1: x, x2: x, y1: 0, y2: HEIGHT})),
    h('p.axis', {'aria-hidden': 'true'}, ends(chart.labels).map((label) => h('span', {}, label))));
}

const ends = (labels) => (labels.length > 2 ? [labels[0], labels[labels.length >> 1], labels.at(-1)] : labels);

function numbers(chart) {
  const rows = chart.labels.map((label, i) => [label, i]).reverse();
  return h('div.scroll.numbers', {tabindex: 0, role: 'region', 'aria-label': `${chart.title}, numbers`},
    h('table', {},
      h('caption.unseen', {}, chart.title),
      h('thead', {}, h('tr', {}, h('th', {scope: 'col'}, chart.of || 'Time'), chart.series.map((one) => h('th.number', {scope: 'col'}, one.name)))),
      h('tbody', {}, rows.map(([label, i]) => h('tr', {'data-key': i}, h('th', {scope: 'row'}, label),
        chart.series.map((one) => h('td.number', {}, chart.format(one.values[i]))))))));
}

/* What it says now, or where the pointer is. */
function reading(chart, at) {
  if (at < 0) return h('span.reading', {}, chart.now);
  return h('span.reading', {}, chart.labels[at], ': ',
    chart.series.map((one) => (chart.series.length > 1 ? `${one.name} ` : '') + chart.format(one.values[at])).join(', '));
}

function parts(chart) {
  const is_open = opened.has(chart.title), at = Math.min(pointed.get(chart.title) ?? -1, chart.labels.length - 1);
  return [
    h('figcaption', {}, h('span.title', {}, chart.title), reading(chart, at),
      h('button.quiet', {type: 'button', 'aria-expanded': String(is_open), 'aria-label': `${chart.title}: ${is_open ? 'chart' : 'numbers'}`,
                        onclick: (event) => turn(chart, event)}, is_open ? 'Chart' : 'Numbers')),
    chart.series.length > 1 && h('ul.legend', {}, chart.series.map((one, n) => h('li', {}, swatch(n), one.name))),
    is_open ? numbers(chart) : drawing(chart, at),
  ];
}

export const swatch = (n) => svg('svg', {class: 'swatch', viewBox: '0 0 10 10', 'aria-hidden': 'true'}, svg('rect', {class: `bar series-${n}`, width: 10, height: 10}));

function again(chart, event) {
  const figure = event.currentTarget.closest('figure');
  if (figure) draw(figure, parts(chart));
}

function turn(chart, event) {
  if (!opened.delete(chart.title)) opened.add(chart.title);
  again(chart, event);
}

function point(chart, event) {
  const box = event.currentTarget.getBoundingClientRect(), count = chart.labels.length;
  const where = (event.clientX - box.left) / box.width;
  const at = chart.kind === 'bars' ? Math.floor(where * count) : Math.round(where * (count - 1));
  if (event.type === 'pointerleave') pointed.delete(chart.title);
  else pointed.set(chart.title, Math.min(count - 1, Math.max(0, at)));
  again(chart, event);
}

/* title, kind ('line' or 'bars'), labels, series [{name, values}], format, now (what it says), summary (for those who do not
 * see it), of (what a label is). Of bars the series stand on each other, the first at the bottom. */
export function figure(given) {
  const chart = {format: number, kind: 'line', now: '', summary: given.title, ...given};
  return h('figure', {'data-key': chart.title}, chart.labels.length ? parts(chart) : [h('figcaption', {}, h('span.title', {}, chart.title)), h('p.nothing', {}, 'No data yet.')]);
}

/* A part of a whole as a bar in a table's cell: the number stands beside it. */
export const bar = (part) => svg('svg', {class: 'part', viewBox: '0 0 100 6', preserveAspectRatio: 'none', 'aria-hidden': 'true'},
  svg('rect', {class: 'trough', width: 100, height: 6}), part > 0 && svg('rect', {class: 'filled', width: Math.min(100, part * 100), height: 6}));
