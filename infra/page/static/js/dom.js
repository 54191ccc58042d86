/** Elements, made of text only: nothing that was told from outside is ever read as HTML. */

/**
 * Make an element.
 * @param {string} tag - its name
 * @param {object} [attributes] - `class`, `title` and so on; a function is a listener (`onclick`)
 * @param {...(Node|string|number|null)} children - texts become text nodes; null is left out
 */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child != null).map(asNode));
  return element;
}

/** Put children in the place of those an element has. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat().filter((child) => child != null).map(asNode));
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
