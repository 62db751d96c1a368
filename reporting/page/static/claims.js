// What each file holds, layer by layer; the rows are made when somebody wants to see them.

const { data, shared, element, number, table, addPart } = globalThis.page;

const { layers, names } = data("claims");
const details = document.getElementById("claims-layers");
const select = document.getElementById("claims-variant");
const shown = document.getElementById("claims-shown");

const HEADINGS = ["layer", "shape", "stored as", "weights", "zeros", "distinct in a channel", "in the kernel", "empty channels"];

/** Return the name of a layer, which a converter makes of those of all operators in it. */
const short = (name) => name.split(";")[0];

function rowsOf(place) {
  return layers[place].map(([name, shape, int8, weights, sparsity, distinct, whole, empty, depthwise]) => [
    short(names[name]) + (depthwise ? " (depthwise)" : ""),
    shape.replaceAll("x", " × "),
    int8 ? "int8" : "float",
    number(weights, 0),
    `${number(100 * sparsity, 1)} %`,
    number(distinct, 0),
    number(whole, 0),
    number(empty, 0),
  ]);
}

const layerTable = (place) => table(HEADINGS, rowsOf(place), 3);

function show() {
  shown.replaceChildren(...(details.open ? [layerTable(select.value)] : []));
}

details.addEventListener("toggle", show);
select.addEventListener("change", show);

addPart("Claims and layers", (variant, place) => {
  if (!layers[place]) return [];
  const row = [...document.querySelectorAll("#claims-table tr[data-variant]")].find((one) => one.dataset.variant === variant.id);
  const inside = element("div");
  const more = element("details", { class: "layers" }, element("summary", {}, `${layers[place].length} layers`), inside);
  more.addEventListener("toggle", () => {
    if (more.open && !inside.hasChildNodes()) inside.append(layerTable(place));
  });
  const claims = element("p", { class: "claims" }, ...[...row.querySelector(".claims").children].map((one) => one.cloneNode(true)));
  return [claims, more];
});
