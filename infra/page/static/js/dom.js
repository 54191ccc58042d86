/** Elements, made of text only: nothing that was told from outside is ever read as HTML. */

/**
 * Make an element.
 * @param {string} tag - its name
 * @param {object} [attributes] - `class`, `title` and so on; true is there, false and null are not
 * @param {...(Node|string|number|null)} children - texts become text nodes; null is left out
 */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child != null).map(asNode));
  return element;
}

/**
 * Let an element have these children, and change no more than differs from what it has.
 *
 * Much is drawn each second: whoever clicks, reads on or has marked a text must not lose it under the hand. So
 * children have no listeners of their own; see `onPick`.
 */
export function fill(element, ...children) {
  const wanted = children.flat().filter((child) => child != null).map(asNode);
  wanted.forEach((node, i) => {
    const old = element.childNodes[i];
    if (old) become(old, node);
    else element.append(node);
  });
  while (element.childNodes.length > wanted.length) element.lastChild.remove();
}

function become(old, node) {
  if (old.nodeName !== node.nodeName) return old.replaceWith(node);
  if (node.nodeType === Node.TEXT_NODE) {
    if (old.data !== node.data) old.data = node.data;
    return;
  }
  for (const { name } of [...old.attributes]) if (!node.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of node.attributes) {
    if (name === "style") old.style.cssText = node.style.cssText; // as an attribute the page's policy forbids it
    else if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  fill(old, ...node.childNodes);
}

/** Hear which of the things with a `data-key` in an element is clicked. */
export function onPick(element, listener) {
  element.addEventListener("click", ({ target }) => {
    const picked = target.closest("[data-key]");
    if (picked) listener(picked.dataset.key);
  });
}

/** Say something, unless it is said already: a screen reader would read it again. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Make a row of a table: cells are texts or nodes, or `[attributes, child]`. */
export function row(cells, attributes = {}) {
  const made = cells.map((cell) => (Array.isArray(cell) ? el("td", ...cell) : el("td", {}, cell)));
  return el("tr", attributes, made);
}

/** A bar that fills so much of its place, from 0 to 1; what it shows is told in words beside it. */
export function bar(part, kind) {
  const filled = el("i", { class: kind });
  filled.style.width = `${Math.min(Math.max(part, 0), 1) * 100}%`;
  return el("span", { class: "bar", "aria-hidden": "true" }, filled);
}

function asNode(child) {
  return child instanceof Node ? child : document.createTextNode(String(child));
}
