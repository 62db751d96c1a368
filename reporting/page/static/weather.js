// The weather map: what its cells show, moving between them, and the curve of each.

const { data, shared, element, number, label, link, table, words, addPart } = globalThis.page;
const { colour, faint, onTheme, plotly, layout, config } = globalThis.page;

const { corruptions, ce, errors, level } = data("weather");
const maps = [...document.querySelectorAll(".map")];
const dialog = document.getElementById("cell");
const plot = document.getElementById("cell-plot");
let shownCell = null;

const percent = (value) => (value === null || value === undefined ? "–" : number(100 * value, 1));
const original = (variant) =>
  shared.variants.findIndex((one) => one.dataset === variant.dataset && one.model === variant.model && one.technique === "original");

// What the cells show

const cells = maps.map((map) =>
  [...map.tBodies[0].rows].map((row) => [...row.cells].slice(1).map((cell) => cell.querySelector("button"))),
);
const buttons = cells.flat(2).filter(Boolean);
const chips = [...document.querySelectorAll("#weather .chip")];

function at(button) {
  const [place, column] = button.dataset.cell.split(",").map(Number);
  const variant = shared.variants[place];
  return { place, column, variant, corruption: corruptions[variant.dataset][column] };
}

function show(what) {
  for (const chip of chips) chip.setAttribute("aria-pressed", chip.dataset.show === what);
  for (const scale of document.querySelectorAll("#weather .scale")) scale.hidden = scale.dataset.for !== what;
  for (const button of buttons) {
    const [text, tone, strength] = button.dataset[what].split(",");
    const { variant, corruption } = at(button);
    button.textContent = text;
    button.className = button.className.replace(/\b(better|worse)\b/g, "").trim() + (tone && ` ${tone}`);
    button.style.setProperty("--w", `${strength}%`);
    button.setAttribute("aria-label", `${words(corruption)}, ${variant.title}: ${what === "ce" ? `CE ${text}` : `${text} points`}`);
  }
}

for (const chip of chips) chip.addEventListener("click", () => show(chip.dataset.show));

// Moving between cells: one of them can be reached by Tab, the arrows go on from there.

const STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

function reachable(grid, button) {
  for (const one of grid.flat()) one?.setAttribute("tabindex", one === button ? 0 : -1);
}

/** Return the next cell in a direction that was measured; `undefined` at the edge. */
function next(grid, button, [down, right]) {
  let row = grid.findIndex((some) => some.includes(button));
  let column = grid[row].indexOf(button);
  for (;;) {
    row += down;
    column += right;
    if (grid[row] === undefined || column < 0 || column >= grid[row].length) return undefined;
    if (grid[row][column]) return grid[row][column];
  }
}

maps.forEach((map, index) => {
  const grid = cells[index];
  const first = grid.flat().find(Boolean);
  if (first) reachable(grid, first);
  map.addEventListener("keydown", (event) => {
    const button = event.target.closest("button[data-cell]");
    if (!button) return;
    const row = grid.find((some) => some.includes(button)).filter(Boolean);
    const target =
      event.key in STEPS ? next(grid, button, STEPS[event.key]) : { Home: row[0], End: row.at(-1) }[event.key];
    if (event.key in STEPS || target) event.preventDefault();
    target?.focus();
  });
  map.addEventListener("focusin", (event) => {
    const button = event.target.closest("button[data-cell]");
    if (button) reachable(grid, button);
  });
  map.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-cell]");
    if (button) openCell(at(button));
  });
});

// The curve of a cell

function curve(name, points, tint, dash, symbol) {
  const side = (point, end) => (point[end] === null ? 0 : 100 * Math.abs(point[end] - point[1]));
  return {
    name,
    x: points.map((point) => point[0]),
    y: points.map((point) => 100 * point[1]),
    mode: "lines+markers",
    line: { color: tint, width: 2, dash },
    marker: { symbol, size: 8, color: tint },
    error_y: {
      type: "data",
      symmetric: false,
      array: points.map((point) => side(point, 3)),
      arrayminus: points.map((point) => side(point, 2)),
      color: faint(tint, 0.7),
      thickness: 1,
      width: 4,
    },
    hovertemplate: "%{y:.1f} %<extra></extra>",
  };
}

/** Return what is known of a variant and its original under a corruption, severity by severity. */
function pairs({ place, column, variant }) {
  const own = errors[place][column] ?? [];
  const base = original(variant);
  const theirs = base < 0 ? [] : (errors[base][column] ?? []);
  return { own, theirs, itself: base === place };
}

async function drawCell() {
  const { own, theirs, itself } = pairs(shownCell);
  const Plotly = await plotly();
  if (!dialog.open) return;
  const severities = [...new Set([...own, ...theirs].map(([severity]) => severity))].sort();
  const lines = [curve(itself ? "original" : "this variant", own, colour("accent"), "solid", "circle")];
  if (theirs.length && !itself) lines.push(curve("original", theirs, colour("soft"), "dot", "square"));
  await Plotly.react(
    plot,
    lines,
    layout({
      margin: { l: 56, r: 12, t: 28, b: 44 },
      xaxis: { title: { text: "severity" }, tickvals: severities, fixedrange: true },
      yaxis: { title: { text: "(← less is better)   error in %" }, rangemode: "tozero", fixedrange: true },
      hovermode: "x",
    }),
    config,
  );
}

function numbersOf(cell) {
  const { own, theirs, itself } = pairs(cell);
  const base = new Map(theirs.map((point) => [point[0], point]));
  const around = ([, , low, high]) => (low === null ? "" : ` (${percent(low)}–${percent(high)})`);
  const rows = own.map((point) => {
    const other = base.get(point[0]);
    const rise = other ? number(100 * (point[1] - other[1]), 1) : "–";
    return [
      String(point[0]),
      percent(point[1]) + around(point),
      ...(itself ? [] : [other ? percent(other[1]) + around(other) : "–", point[1] > (other?.[1] ?? Infinity) ? `+${rise}` : rise]),
      point[4] === null ? "–" : number(point[4], 0),
    ];
  });
  return table(["severity", "error in %", ...(itself ? [] : ["original", "difference"]), "images"], rows);
}

function openCell(cell) {
  shownCell = cell;
  const [value, low, high] = ce[cell.place][cell.column] ?? [null, null, null];
  document.getElementById("cell-title").replaceChildren(words(cell.corruption), " · ", link(cell.variant));
  const around = low === null || low === high ? "" : ` (${number(low, 1)} to ${number(high, 1)} at ${number(100 * level, 0)} %)`;
  document.getElementById("cell-told").textContent =
    value === null
      ? "There is no CE, because the original was not measured at the same severities or makes no errors here."
      : `CE ${number(value, 1)}${around}: the error over all severities in % of the original’s; less is better.`;
  document.getElementById("cell-numbers").replaceChildren(numbersOf(cell));
  dialog.showModal();
  document.getElementById("cell-title").focus();
  drawCell();
}

document.getElementById("cell-close").addEventListener("click", () => dialog.close());
dialog.addEventListener("click", (event) => {
  if (event.target === dialog || event.target.closest("a")) dialog.close();
});
onTheme(() => dialog.open && drawCell());

// In the panel of a variant

const WORST = 5;

addPart("Under each corruption", (variant, place) => {
  const tiles = corruptions[variant.dataset].flatMap((corruption, column) => {
    const button = buttons.find((one) => one.dataset.cell === `${place},${column}`);
    if (!button) return [];
    const [value, low, high] = ce[place][column];
    const [text, tone, strength] = button.dataset.ce.split(",");
    const around = low === null || low === high ? "" : `${number(low, 0)}–${number(high, 0)}`;
    const tile = element(
      "button",
      { type: "button", class: tone, "aria-label": `${words(corruption)}: CE ${text}${around && `, interval ${around}`}` },
      element("span", {}, words(corruption)),
      element("b", {}, value === null ? "–" : text),
      element("small", {}, around),
    );
    tile.style.setProperty("--w", `${strength}%`);
    tile.addEventListener("click", () => openCell({ place, column, variant, corruption }));
    return [tile];
  });
  if (!tiles.length) return [];
  const told = element("p", { class: "soft" }, "CE in % of the original’s error, with its interval; choose one for the curve over severities.");
  return [told, element("div", { class: "tiles" }, tiles)];
});

addPart("Worst cells", (variant, place) => {
  const base = original(variant);
  if (base < 0 || base === place) return [];
  const rises = corruptions[variant.dataset].flatMap((name, column) => {
    const theirs = new Map((errors[base][column] ?? []).map((point) => [point[0], point[1]]));
    const own = (errors[place][column] ?? []).filter(([severity]) => theirs.has(severity));
    const found = own.map(([severity, error]) => ({ name, severity, error, before: theirs.get(severity) }));
    found.sort((one, other) => other.error - other.before - (one.error - one.before));
    return found.slice(0, 1);
  });
  const worst = rises.filter(({ error, before }) => error > before);
  worst.sort((one, other) => other.error - other.before - (one.error - one.before));
  if (!worst.length) return [element("p", { class: "soft" }, "Nowhere is its error above the original’s.")];
  const rows = worst
    .slice(0, WORST)
    .map(({ name, severity, error, before }) => [words(name), String(severity), percent(error), percent(before), `+${percent(error - before)}`]);
  return [table(["corruption", "severity", "error in %", "original", "rise"], rows)];
});

show("ce");
