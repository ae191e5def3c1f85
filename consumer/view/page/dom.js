/* Elements from descriptions, and a page brought up to date without losing what its reader is doing.
 *
 *     h('td.number', {title: 'net'}, '9,120.00')          an element; children are texts, elements, lists, or nothing
 *     draw(main, [h('h1', {}, 'Rules'), table])           makes `main` hold just that
 *
 * A page is a function from what is known to a description. It is described anew every time, and `draw` changes only what
 * differs: focus, selection and scrolling stay. Text becomes text, never markup: nothing here reads HTML. */
const SVG = 'http://www.w3.org/2000/svg';

function build(element, attributes, children) {
  element.handlers = {};
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) element[name] = element.handlers[name] = value;
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value === true ? '' : value);
  }
  for (const child of children.flat(Infinity))
    if (child !== null && child !== undefined && child !== false) element.append(child);
  return element;
}

/* `tag.class.class` */
export function h(what, attributes = {}, ...children) {
  const [tag, ...classes] = what.split('.');
  const element = document.createElement(tag);
  if (classes.length) element.className = classes.join(' ');
  return build(element, attributes, children);
}

export function svg(tag, attributes = {}, ...children) {
  return build(document.createElementNS(SVG, tag), attributes, children);
}

/* What tells one of many alike from the next: rows that come and go keep their elements. */
const key_of = (node) => (node.dataset ? node.dataset.key : undefined);

function draw_children(old, children) {
  const keyed = new Map([...old.children].filter((child) => key_of(child) !== undefined).map((child) => [key_of(child), child]));
  let at = old.firstChild;
  for (const fresh of children) {
    const key = key_of(fresh);
    const found = key !== undefined ? keyed.get(key) : at && key_of(at) === undefined ? at : null;
    if (found && found.nodeName === fresh.nodeName) {
      if (found === at) at = at.nextSibling;
      else old.insertBefore(found, at);
      change(found, fresh);
    } else old.insertBefore(fresh, at);
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

function change(old, fresh) {
  if (fresh.nodeType === Node.TEXT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return;
  }
  for (const {name} of [...old.attributes]) if (!fresh.hasAttribute(name) && name !== 'open') old.removeAttribute(name); /* the reader opens and closes */
  for (const {name, value} of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  for (const name of Object.keys(old.handlers || {})) if (!(name in fresh.handlers)) old[name] = null;
  Object.assign(old, fresh.handlers);
  old.handlers = fresh.handlers;
  draw_children(old, [...fresh.childNodes]);
}

export function draw(parent, children) {
  const focused = document.activeElement;
  const holder = build(document.createElement('div'), {}, [children]);
  draw_children(parent, [...holder.childNodes]);
  if (focused && focused !== document.activeElement && parent.contains(focused)) focused.focus({preventScroll: true}); /* it was moved */
}

/* What the reader has chosen, kept for the next time where the browser allows that. */
export function remember(name, value) {
  try {
    localStorage.setItem(`relance.${name}`, value);
  } catch { /* it holds until the page is left */ }
}

export function remembered(name, otherwise) {
  try {
    return localStorage.getItem(`relance.${name}`) ?? otherwise;
  } catch {
    return otherwise;
  }
}
