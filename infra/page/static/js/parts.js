/** The elements of the page by their ids: `parts("book", "bids")` is `{bids: #book-bids}`. */

export function parts(section, ...names) {
  return Object.fromEntries(names.map((name) => [name, document.getElementById(`${section}-${name}`)]));
}
