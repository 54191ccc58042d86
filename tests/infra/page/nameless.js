/* What can be reached by keyboard, and has no name that a screen reader could say. */
() => {
  const reached = [...document.querySelectorAll('button, select, input, summary, [tabindex="0"]')];
  const named = (one) => (!one.matches("select, [tabindex]") && one.textContent.trim()) || one.labels?.length ||
    one.getAttribute("aria-label") || one.getAttribute("aria-labelledby");
  return reached.filter((one) => one.checkVisibility() && !named(one)).map((one) => one.outerHTML);
}
