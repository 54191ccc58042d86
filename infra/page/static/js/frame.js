/** What arrives often is drawn once a frame: only the latest of each kind counts. */

const waiting = new Map();
let asked = false;

/** Draw something at the next frame, in the place of what was to be drawn under that name. */
export function later(name, draw) {
  waiting.set(name, draw);
  if (asked) return;
  asked = true;
  requestAnimationFrame(() => {
    asked = false;
    const draws = [...waiting.values()];
    waiting.clear();
    for (const one of draws) one();
  });
}

/** Draw nothing of what waits: something else was chosen. */
export function drop() {
  waiting.clear();
}
