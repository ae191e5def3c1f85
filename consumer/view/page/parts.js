/* What pages have in common: headings, tables, choices, and a word where there is nothing yet. */
import {h, remember, remembered} from './dom.js';

export const heading = (title, ...more) => h('div.heading', {}, h('h1', {}, title), more);

export const section = (title, ...content) => h('section', {'data-key': title}, h('h2', {}, title), content);

/* Nothing is there: why, and what to do. */
export const nothing = (what, ...todo) => h('div.empty', {}, h('p.what', {}, what), todo.map((line) => h('p', {}, line)));

/* It has not been read yet, or cannot be. */
export const waiting = (trouble) => (trouble ? nothing('This cannot be shown now.', trouble) : h('p.note', {}, 'Reading…'));

/* columns: [{name, is_number, is_bar, title, sorted, onclick}]; rows: [{key, cells, class}]. The first cell heads its row; the name of a
 * column of bars is there for those who do not see them. */
export function table(caption, columns, rows, extra = {}) {
  return h('div.scroll', {tabindex: 0, role: 'region', 'aria-label': caption, 'data-key': caption},
    h(`table${extra.class ? `.${extra.class}` : ''}`, {},
      h('caption.unseen', {}, caption),
      h('thead', {}, h('tr', {}, columns.map((column) => h(`th${column.is_number ? '.number' : ''}`,
        {scope: 'col', title: column.title, 'aria-sort': column.sorted}, column.onclick
          ? h('button.sort', {type: 'button', onclick: column.onclick}, column.name, h('span', {'aria-hidden': 'true'}, {ascending: ' ↑', descending: ' ↓'}[column.sorted] || ''))
          : column.is_bar ? h('span.unseen', {}, column.name) : column.name)))),
      h('tbody', {}, rows.map((row) => h('tr', {'data-key': row.key, class: row.class},
        row.cells.map((cell, i) => h(`${i ? 'td' : 'th'}${columns[i].is_number ? '.number' : ''}${columns[i].is_bar ? '.lone' : ''}`, i ? {} : {scope: 'row'}, cell)))))));
}

/* One of a few: buttons that say which is pressed. It is remembered under `name`. */
export const chosen = (name, choices) => {
  const kept = remembered(name, choices[0][0]);
  return choices.some(([value]) => value === kept) ? kept : choices[0][0];
};

export function choice(name, label, choices, changed) {
  const now = chosen(name, choices);
  return h('div.choice', {role: 'group', 'aria-label': label}, choices.map(([value, text]) => h('button', {
    type: 'button', 'aria-pressed': String(value === now), onclick: () => { remember(name, value); changed(); }}, text)));
}

export const tile = (name, value, more, attributes = {}) => h('div.tile', {'data-key': name, ...attributes},
  h('dt', {}, name), h('dd', {}, h('span.value', {}, value), more && h('span.more', {}, more)));

export const tiles = (...list) => h('dl.tiles', {}, list);
