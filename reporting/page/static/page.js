// What the parts of the page share.  Each script is a module of its own; they meet in `page`.
//
// What came of a run is only ever put on the page as text, never as HTML.

const data = (name) => {
  const script = document.getElementById(`data-${name}`);
  return script && JSON.parse(script.textContent);
};

const shared = data("shared");
const metrics = new Map(shared.metrics.map((metric) => [metric.key, metric]));
const places = new Map(shared.variants.map((variant, place) => [variant.id, place]));

/** Return a new element; of the attributes, `on` has listeners by event, and undefined ones are left out. */
function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "on") {
      for (const [event, listener] of Object.entries(value)) made.addEventListener(event, listener);
    } else if (value !== undefined && value !== false) {
      made.setAttribute(name, value === true ? "" : value);
    }
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
}

/** Return a number with thousands apart and a true minus. */
function number(value, decimals) {
  const text = value.toLocaleString("en", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
  return text.replace("-", "−");
}

/** Return a value of a metric in its unit, without it; `–` where it is absent. */
const shown = (metric, value) => (value === null ? "–" : number(metric.factor * value, metric.decimals));

/** Return ` ±` and the larger side of a figure's interval; nothing where it is exact or not known. */
function margin(variant, key) {
  const metric = metrics.get(key);
  const [value, low, high] = variant.figures[key];
  if (value === null || low === high) return "";
  // Images were sampled, but too few to bound it.
  if (low === null || high === null) return metric.estimated && variant.drop[0] !== null ? " ±?" : "";
  return ` ±${number(metric.factor * Math.max(value - low, high - value), metric.decimals)}`;
}

/** Return the unit of a metric with the space before it: a short one where it stands behind a figure. */
const unit = (metric) => (metric.unit.startsWith("%") ? (metric.key === "accuracy" ? " %" : "") : ` ${metric.unit}`);

/** Return a figure of a variant with its interval and unit. */
function figure(variant, key) {
  const metric = metrics.get(key);
  const [value] = variant.figures[key];
  return shown(metric, value) + margin(variant, key) + (value === null ? "" : unit(metric));
}

/** Return a variant in words, with its data set where there are several and it is not clear. */
function label(variant, withDataset = shared.datasets.length > 1) {
  const names = [variant.model, variant.title + (variant.number && ` (${variant.number})`)];
  return (withDataset ? [variant.dataset, ...names] : names).join(" · ");
}

/** Return a link that opens the panel of a variant. */
const link = (variant, text) =>
  element("a", { href: `#variant=${variant.id}`, "data-variant": variant.id }, text ?? label(variant));

/** Return a definition list of figures: [name, text, what may stand small behind it]. */
const numbers = (list) =>
  element(
    "dl",
    { class: "numbers" },
    list.map(([name, text, more]) =>
      element("div", {}, element("dt", {}, name), element("dd", {}, text, more ? element("small", {}, more) : null)),
    ),
  );

/** Return a small table; columns of figures are those after the first `words`. */
function table(headings, rows, words = 1) {
  const kind = (place) => (place < words ? undefined : "figure");
  return element(
    "div",
    { class: "scroll" },
    element(
      "table",
      { class: "plain-table" },
      element("thead", {}, element("tr", {}, headings.map((text, place) => element("th", { scope: "col", class: kind(place) }, text)))),
      element("tbody", {}, rows.map((row) => element("tr", {}, row.map((cell, place) => element("td", { class: kind(place) }, cell))))),
    ),
  );
}

const words = (name) => name.replaceAll("_", " ");

/** Say on the page that something does not work here. */
function broken(text) {
  const note = document.getElementById("broken");
  note.textContent = text;
  note.hidden = false;
}

// Colours of the theme, for what style sheets do not reach.

const probe = element("span", { hidden: true });
document.body.append(probe);

/** Return the colour that a custom property has in the present theme, as `rgb(...)`. */
function colour(name) {
  probe.style.color = `var(--${name})`;
  return getComputedStyle(probe).color;
}

/** Return a colour of :func:`colour`, less opaque. */
const faint = (rgb, opacity) => rgb.replace(/^rgba?\(([^,]+,[^,]+,[^,)]+).*$/, `rgba($1, ${opacity})`);

const themed = [];

/** Call `draw` again whenever the colours change: another theme, or paper. */
const onTheme = (draw) => themed.push(draw);

const redraw = () => themed.forEach((draw) => draw());
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);

/** The size of a chart on paper, in pixels; on the screen it is as large as there is room. */
const PAPER = { width: 690, height: 420 };
let printing = false;

for (const [event, begins] of [["beforeprint", true], ["afterprint", false]]) {
  addEventListener(event, () => {
    printing = begins;
    document.documentElement.style.colorScheme = begins ? "light" : "";
    redraw();
  });
}

// Plotly stands compressed in the page, once.

let loading;

async function inflate() {
  const bytes = Uint8Array.from(atob(document.getElementById("plotly").textContent), (char) => char.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  const script = document.createElement("script");
  script.textContent = await new Response(stream).text();
  document.head.append(script);
  if (!globalThis.Plotly) throw new Error("Plotly did not start");
  return globalThis.Plotly;
}

/** Return a promise of Plotly; where it cannot be had the page says so. */
function plotly() {
  loading ??= inflate();
  loading.catch((error) => broken(`The charts need a newer browser, such as any of 2024 or later (${error.message}).`));
  return loading;
}

/** Return a text for Plotly, which takes tags and entities for formatting. */
const plain = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/** Return what the layouts of all charts have. */
function layout(more) {
  const ink = colour("ink");
  const soft = colour("soft");
  const { fontFamily: family } = getComputedStyle(document.body);
  const axis = { gridcolor: faint(colour("line"), 0.7), zeroline: false, linecolor: colour("line"), tickfont: { color: soft }, automargin: true };
  const { xaxis, yaxis, ...rest } = more;
  return {
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { family, size: 12, color: ink },
    margin: { l: 56, r: 16, t: 30, b: 48 },
    hoverlabel: { bgcolor: colour("paper"), bordercolor: soft, font: { family, size: 13, color: ink }, align: "left" },
    legend: { orientation: "h", x: 0, y: 1.01, yanchor: "bottom", font: { size: 12 } },
    dragmode: matchMedia("(pointer: coarse)").matches ? false : "zoom",
    xaxis: { ...axis, ...xaxis },
    yaxis: { ...axis, ...yaxis },
    ...(printing ? PAPER : {}),
    ...rest,
  };
}

const config = { displayModeBar: false, responsive: true };

// The panel of a variant shows a part for each script that has something to say of it.

const parts = [];

/** Have the panel of a variant show `render(variant, place)`, a list of nodes, under a title if it is not empty. */
const addPart = (title, render) => parts.push({ title, render });

const open = (variant) => {
  location.hash = `variant=${variant.id}`;
};

globalThis.page = {
  ...{ data, shared, metrics, places, element, number, shown, margin, unit, figure, label, link, numbers, table, words },
  ...{ colour, faint, onTheme, plotly, plain, layout, config, parts, addPart, open },
};

// The table of contents shows where one is.

const entries = new Map([...document.querySelectorAll(".bar a")].map((entry) => [entry.hash.slice(1), entry]));
const seen = new Set();
const observer = new IntersectionObserver(
  (changes) => {
    for (const { target, isIntersecting } of changes) seen[isIntersecting ? "add" : "delete"](target.id);
    const first = [...entries.keys()].find((name) => seen.has(name));
    for (const [name, entry] of entries) {
      if (name === first) entry.setAttribute("aria-current", "location");
      else entry.removeAttribute("aria-current");
    }
  },
  { rootMargin: "-60px 0px -40% 0px" },
);
for (const name of entries.keys()) observer.observe(document.getElementById(name));
