/** Answers come as columns, which are short on the wire; most of the page wants rows. */

/** Turn `{a: [1, 2], b: [3, 4]}` into `[{a: 1, b: 3}, {a: 2, b: 4}]`. */
export function rows(columns) {
  const names = Object.keys(columns);
  const many = names.length ? columns[names[0]].length : 0;
  return Array.from({ length: many }, (_, i) => Object.fromEntries(names.map((name) => [name, columns[name][i]])));
}
