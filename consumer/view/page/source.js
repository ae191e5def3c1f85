/* Where the parts of a rule stand in the text of its file, so that what they have done can stand beside them. The text has been
 * compiled by the engine, so it is JSON with comments; whatever else it is, nothing here ends but in the empty list. */
const SPACE = /(?:\s+|\/\/[^\n]*|\/\*[\s\S]*?\*\/|,|:)*/y;
const STRING = /"(?:[^"\\]|\\[\s\S])*"/y;
const ATOM = /[^\s,:{}[\]"]+/y;

function match(text, pattern, at) {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? '';
}

/* [{path, begin, end}] of every member and element, in the order of the text: path ['rules', 'welcome', 'do', 0]; `begin` is where
 * its name begins, `end` is behind its value. */
export function places(text) {
  const found = [], open = []; /* open: {path, is_list, count, name} */
  let at = 0, pending = null;
  const close = (place) => place && (place.end = at);
  while (at < text.length) {
    at += match(text, SPACE, at).length;
    const top = open.at(-1), sign = text[at];
    if (sign === undefined) break;
    if (sign === '}' || sign === ']') {
      at++;
      close(open.pop()?.place);
      continue;
    }
    let begin = at;
    if (top && !top.is_list && pending === null) { /* a name */
      const word = match(text, STRING, at);
      if (!word) return found;
      pending = {name: name_of(word), begin};
      at += word.length;
      continue;
    }
    const path = top ? [...top.path, top.is_list ? top.count++ : pending.name] : [];
    const place = {path, begin: pending ? pending.begin : begin, end: at};
    if (top) found.push(place);
    pending = null;
    if (sign === '{' || sign === '[') {
      open.push({path, place, is_list: sign === '[', count: 0});
      at++;
      continue;
    }
    const word = match(text, STRING, at) || match(text, ATOM, at);
    if (!word) return found;
    at += word.length;
    close(place);
  }
  return found;
}

function name_of(word) {
  try {
    return JSON.parse(word);
  } catch {
    return word.slice(1, -1);
  }
}

const line_of = (text, at) => text.slice(0, at).split('\n').length - 1;

/* The lines of a rule in a file, from its comment on: {first, lines, parts: [{path, line, end}]}, without the indentation that all have; null: it is not there. */
export function excerpt(text, rule) {
  const list = places(text), all = text.split('\n');
  const whole = list.find(({path}) => path.length === 2 && path[0] === 'rules' && path[1] === rule);
  if (!whole) return null;
  let first = line_of(text, whole.begin);
  const last = line_of(text, whole.end);
  while (first > 0 && /^\s*\/\//.test(all[first - 1])) first--;
  const parts = list.filter(({path}) => path.length >= 2 && path[0] === 'rules' && path[1] === rule)
    .map(({path, begin, end}) => ({path: path.slice(2), line: line_of(text, begin) - first, end: line_of(text, end) - first}));
  const lines = all.slice(first, last + 1), indent = Math.min(...lines.filter((one) => one.trim()).map((one) => one.search(/\S/)));
  return {first: first + 1, lines: lines.map((one) => one.slice(Math.min(indent, one.search(/\S|$/))).trimEnd()), parts};
}
