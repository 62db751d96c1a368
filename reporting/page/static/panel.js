// The panel of a variant, which has an address of its own: `#variant=` and its id.

const { shared, metrics, places, element, shown, margin, unit, label, number, numbers, parts } = globalThis.page;

const panel = document.getElementById("panel");
const title = document.getElementById("panel-title");
const body = document.getElementById("panel-body");
const steps = [
  [document.getElementById("panel-previous"), -1],
  [document.getElementById("panel-next"), 1],
];
let opener = null;
let place = null;

/** Return the place of the variant that the address names, `null` if it names none. */
function addressed() {
  const [, id] = location.hash.match(/^#variant=(.*)$/) ?? [];
  return id === undefined ? null : (places.get(id) ?? null);
}

/** Return the ends of an interval in words, nothing where the figure is exact or they are not known. */
const between = (low, high) => (low === null || low === high ? "" : ` ${low} to ${high}`);

function figures(variant) {
  const list = [...metrics.values()]
    .filter(({ key }) => variant.figures[key][0] !== null)
    .map((metric) => {
      const [value, low, high] = variant.figures[metric.key].map((end) => end !== null && shown(metric, end));
      const around = low ? between(low, high) : margin(variant, metric.key);
      return [metric.title, value + unit(metric), around];
    });
  if (variant.drop[0] !== null) {
    const [drop, low, high] = variant.drop.map((value) => number(100 * value, 1));
    list.push(["accuracy lost", `${drop} points`, between(low, high)]);
  }
  if (variant.front !== null) list.push(["surely on the front", `${number(100 * variant.front, 0)} %`]);
  return numbers(list);
}

function render() {
  const variant = shared.variants[place];
  title.textContent = label(variant);
  document.getElementById("panel-place").textContent = `${place + 1} of ${shared.variants.length}`;
  for (const [button, step] of steps) button.disabled = shared.variants[place + step] === undefined;
  const shownParts = parts.flatMap((part) => {
    const nodes = part.render(variant, place);
    return nodes.length ? [element("h3", {}, part.title), ...nodes] : [];
  });
  body.replaceChildren(figures(variant), ...shownParts);
  panel.scrollTop = 0;
}

/** Show what the address says: the panel of a variant, or the page. */
function follow() {
  place = addressed();
  if (place === null) {
    if (panel.open) panel.close();
    returnFocus();
    return;
  }
  render();
  if (panel.open) return;
  opener = document.activeElement;
  panel.showModal();
  title.focus();
}

/** Give the focus back to what opened the panel; going back in history may have taken it elsewhere. */
function returnFocus() {
  if (opener?.isConnected) opener.focus({ preventScroll: true });
  opener = null;
}

/** Leave the panel's address: back to where one came from, or to the page if one came by that address. */
function leave() {
  if (history.state?.within) {
    history.back();
  } else {
    history.replaceState(null, "", location.href.split("#")[0]);
    returnFocus();
  }
}

addEventListener("hashchange", (event) => {
  const within = addressed() !== null && event.oldURL.split("#")[0] === location.href.split("#")[0];
  if (within && history.state === null) history.replaceState({ within: true }, "");
  follow();
});
panel.addEventListener("close", () => {
  if (addressed() !== null) leave();
});
panel.addEventListener("click", (event) => {
  if (event.target === panel) panel.close();
});
document.getElementById("panel-close").addEventListener("click", () => panel.close());
for (const [button, step] of steps) {
  button.addEventListener("click", () => {
    history.replaceState(history.state, "", `#variant=${shared.variants[place + step].id}`);
    follow();
    if (button.disabled) title.focus();
  });
}
follow();
