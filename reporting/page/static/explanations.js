// What a variant sees, in its panel: its map and its samples, as they stand among those of all.

const { element, addPart } = globalThis.page;

const own = (selector, variant) =>
  [...document.querySelectorAll(`#explanations ${selector}`)].filter((one) => one.dataset.variant === variant.id);

addPart("Explanations", (variant) => [
  ...own("figure[data-variant]", variant).map((figure) =>
    element("div", { class: "maps" }, element("figure", {}, [...figure.querySelectorAll("dl, svg")].map((part) => part.cloneNode(true)))),
  ),
  ...own("tr[data-variant]", variant).map((row) =>
    element("div", { class: "scroll" }, element("table", { class: "seen" }, element("tbody", {}, element("tr", {}, [...row.querySelectorAll("td")].slice(1).map((cell) => cell.cloneNode(true)))))),
  ),
]);
