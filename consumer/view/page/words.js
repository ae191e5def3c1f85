/* Numbers, money and times, as the reader's language writes them. A number that cannot be said is a dash. */
import {h} from './dom.js';

const NONE = '–';
const whole = new Intl.NumberFormat(undefined, {maximumFractionDigits: 0});
const fine = new Intl.NumberFormat(undefined, {maximumFractionDigits: 1});
const part = new Intl.NumberFormat(undefined, {style: 'percent', maximumFractionDigits: 1, minimumFractionDigits: 1});
const rough = new Intl.NumberFormat(undefined, {maximumSignificantDigits: 2});
const plain = new Intl.NumberFormat(undefined, {minimumFractionDigits: 2, maximumFractionDigits: 2});
const instant = new Intl.DateTimeFormat(undefined, {dateStyle: 'medium', timeStyle: 'medium'});
const clock = new Intl.DateTimeFormat(undefined, {hour: '2-digit', minute: '2-digit'});
const weekday = new Intl.DateTimeFormat(undefined, {weekday: 'short', hour: '2-digit', minute: '2-digit'});
const day_of = new Intl.DateTimeFormat(undefined, {timeZone: 'UTC', day: 'numeric', month: 'short', year: 'numeric'});
const day_short = new Intl.DateTimeFormat(undefined, {timeZone: 'UTC', day: 'numeric', month: 'short'});
const month_of = new Intl.DateTimeFormat(undefined, {timeZone: 'UTC', month: 'short', year: 'numeric'});

const is_number = (value) => typeof value === 'number' && Number.isFinite(value);

export const number = (value) => (is_number(value) ? (Number.isInteger(value) || Math.abs(value) >= 1000 ? whole : fine).format(value) : NONE);
export const share = (value) => (is_number(value) ? part.format(value) : NONE);
/* What something weighs beside others, where only the order matters: 0.31, 0.0042. */
export const weight = (value) => (is_number(value) ? rough.format(value) : NONE);
export const amount = (value) => (is_number(value) ? plain.format(value) : NONE);

/* An amount in a currency; of one that no browser knows, with its letters. */
export function money(value, currency) {
  if (!is_number(value)) return NONE;
  try {
    return new Intl.NumberFormat(undefined, {style: 'currency', currency}).format(value);
  } catch {
    return `${plain.format(value)} ${currency}`;
  }
}

export const plural = (count, one, many) => `${number(count)} ${count === 1 ? one : many}`;

/* 0.3 s, 45 s, 12 min, 3 h, 2 days */
export function duration(seconds) {
  if (!is_number(seconds)) return NONE;
  const s = Math.max(0, seconds);
  if (s < 9.95) return `${fine.format(s)} s`;
  if (s < 120) return `${whole.format(Math.round(s))} s`;
  if (s < 7200) return `${whole.format(Math.round(s / 60))} min`;
  if (s < 172800) return `${whole.format(Math.round(s / 3600))} h`;
  return `${whole.format(Math.round(s / 86400))} days`;
}

/* An instant in the reader's zone, with UTC in its title. */
export function time(value, how = instant) {
  const date = new Date(value);
  if (value === null || value === undefined || Number.isNaN(date.getTime())) return NONE;
  return h('time', {datetime: date.toISOString(), title: `${date.toISOString().replace('T', ' ').replace('Z', '')} UTC`}, how.format(date));
}
/* The same as a text, where there is no room for more. */
export const clock_words = (ms) => clock.format(ms);
export const week_words = (ms) => weekday.format(ms);

/* Days and months are the rule set's, and stand for themselves: "2026-03-02" is that day wherever one reads it. */
const date_of = (text) => new Date(`${text.length === 7 ? `${text}-01` : text}T00:00:00Z`);
export const day = (text) => day_of.format(date_of(text));
export const day_and_month = (text) => day_short.format(date_of(text));
export const month = (text) => month_of.format(date_of(text));

/* What outcomes and reasons are called where people read them: cart_abandoned, by_event → "by event". */
export const say = (name) => name.replaceAll('_', ' ');
