/** Colours of the page for what is drawn on a canvas; they follow the system's light or dark. */

const dark = matchMedia("(prefers-color-scheme: dark)");

/** A colour of the style sheet, by its name there. */
export function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** Call when the system goes from light to dark or back. */
export function onTheme(listener) {
  dark.addEventListener("change", listener);
}

/** What all charts share. */
export function chartLook() {
  const line = colour("grid");
  return {
    layout: {
      background: { type: "solid", color: colour("panel") },
      textColor: colour("muted"),
      fontFamily: getComputedStyle(document.body).fontFamily,
      fontSize: 11,
    },
    grid: { vertLines: { color: line }, horzLines: { color: line } },
    rightPriceScale: { borderColor: line },
    timeScale: { borderColor: line },
  };
}

/** Colours of lines beside each other, told apart by those who see few colours, too. */
export function lineColour(index) {
  return colour(`line${(index % 5) + 1}`);
}

/** The look of a small chart, which shows all it has and is not moved. */
export function smallLook() {
  const shared = chartLook();
  return {
    ...shared,
    layout: { ...shared.layout, attributionLogo: false }, // the large chart has it
    timeScale: { ...shared.timeScale, timeVisible: true },
    handleScroll: false,
    handleScale: false,
  };
}
