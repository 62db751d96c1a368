// The times of a variant in its panel, as they are drawn in the table of all.

const { element, addPart } = globalThis.page;

addPart("Latency", (variant) => {
  const row = [...document.querySelectorAll("#latency tr[data-variant]")].find((one) => one.dataset.variant === variant.id);
  if (!row) return [];
  const [median, p90] = [...row.querySelectorAll("td.figure")].slice(-2).map((cell) => cell.textContent);
  const axis = document.querySelector("#latency .axis").cloneNode(true);
  return [
    element("p", {}, `Median ${median} ms, 90th percentile ${p90} ms.`),
    element("div", { class: "strips" }, element("div", { class: "strip" }, axis), row.querySelector("svg").cloneNode(true)),
  ];
});
