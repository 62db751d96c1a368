// What attacks do to a variant, in its panel.

const { data, table, addPart } = globalThis.page;

const found = data("attacks");

addPart("Attacks", (variant, place) =>
  found[place] ? [table(["attack", "way", "accuracy before %", "after %", "fooled %", ""], found[place], 2)] : [],
);
