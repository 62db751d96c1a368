// The table of all variants: sorting, filtering, selecting, copying.

const { data, shared, metrics, places, open } = globalThis.page;

const { ranked } = data("table");
const body = document.querySelector("#table-variants tbody");
const rows = [...body.rows];
const heads = [...document.querySelectorAll("#table-variants thead th[data-sort]")];
const text = document.getElementById("table-text");
const all = document.getElementById("table-all");
const count = document.getElementById("table-count");
const copy = document.getElementById("table-copy");
const chips = [...document.querySelectorAll("#table-filters .chip")];
const picked = (row) => row.querySelector(".pick input");

// Sorting: what is absent stands last either way.

function sort(head) {
  const cell = head.cellIndex;
  const numeric = head.dataset.sort === "number";
  const first = numeric && head.dataset.better === "more" ? "descending" : "ascending";
  const other = first === "ascending" ? "descending" : "ascending";
  const direction = head.getAttribute("aria-sort") === first ? other : first;
  const key = (row) => (numeric ? row.cells[cell].dataset.value : row.cells[cell].textContent.trim());
  const order = (one, next) => {
    if (one === "" || next === "") return (one === "") - (next === "");
    const sign = direction === "ascending" ? 1 : -1;
    return sign * (numeric ? one - next : one.localeCompare(next, "en", { numeric: true }));
  };
  body.append(...rows.toSorted((one, next) => order(key(one), key(next))));
  for (const each of heads) each.setAttribute("aria-sort", each === head ? direction : "none");
}

for (const head of heads) head.querySelector("button").addEventListener("click", () => sort(head));

// Filtering: any of the chosen networks, all of the chosen traits, all words of the text.

function filter() {
  const pressed = chips.filter((chip) => chip.getAttribute("aria-pressed") === "true").map((chip) => chip.dataset);
  const models = pressed.filter((chip) => "model" in chip).map((chip) => chip.model);
  const traits = pressed.filter((chip) => "trait" in chip).map((chip) => chip.trait);
  const sought = text.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const row of rows) {
    const variant = shared.variants[places.get(row.dataset.variant)];
    const names = [variant.dataset, variant.model, variant.technique, variant.title, variant.number].join(" ").toLowerCase();
    const own = row.dataset.traits.split(" ");
    row.hidden =
      (models.length > 0 && !models.includes(variant.model)) ||
      !traits.every((trait) => own.includes(trait)) ||
      !sought.every((word) => names.includes(word));
  }
  tell();
}

for (const chip of chips) {
  chip.addEventListener("click", () => {
    chip.setAttribute("aria-pressed", chip.getAttribute("aria-pressed") !== "true");
    filter();
  });
}
text.addEventListener("input", filter);
document.getElementById("table-filters").addEventListener("submit", (event) => event.preventDefault());

// Selecting and copying

const visible = () => [...body.rows].filter((row) => !row.hidden);

/** Return the rows that are copied: those selected of the ones that are seen, or all of these. */
function chosen() {
  const seen = visible();
  const some = seen.filter((row) => picked(row).checked);
  return some.length ? some : seen;
}

function tell() {
  const seen = visible();
  const some = seen.filter((row) => picked(row).checked).length;
  all.checked = seen.length > 0 && some === seen.length;
  all.indeterminate = some > 0 && some < seen.length;
  count.textContent = `${seen.length} of ${rows.length} variants${some ? `, ${some} selected` : ""}`;
}

all.addEventListener("change", () => {
  for (const row of visible()) picked(row).checked = all.checked;
  tell();
});

/** Return plain numbers for a spreadsheet: tabs between columns, a line of names first. */
function spreadsheet() {
  const ends = ({ estimated }) => (estimated ? ["", " low", " high"] : [""]);
  const names = [...metrics.values()].flatMap((metric) => ends(metric).map((end) => `${metric.title}${end} (${metric.unit})`));
  const lines = [["data set", "network", "number", "technique", ...names, ...(ranked ? ["surely on the front"] : [])]];
  for (const row of chosen()) {
    const variant = shared.variants[places.get(row.dataset.variant)];
    const values = [...metrics.values()].flatMap((metric) =>
      ends(metric).map((_, end) => {
        const value = variant.figures[metric.key][end];
        return value === null ? "" : Number((metric.factor * value).toPrecision(6));
      }),
    );
    const words = [variant.dataset, variant.model, variant.number.slice(1), variant.title].map((word) => word.replace(/[\t\r\n]+/g, " "));
    lines.push([...words, ...values, ...(ranked ? [variant.front ?? ""] : [])]);
  }
  return lines.map((line) => line.join("\t")).join("\n") + "\n";
}

/** Put a text on the clipboard, also where a browser does not let pages from a disk do so the new way. */
async function put(content) {
  try {
    await navigator.clipboard.writeText(content);
  } catch {
    const area = document.createElement("textarea");
    area.value = content;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    if (!done) throw new Error("the browser does not allow it");
  }
}

copy.addEventListener("click", async () => {
  const many = chosen().length;
  try {
    await put(spreadsheet());
    count.textContent = `Copied ${many} ${many === 1 ? "row" : "rows"}`;
  } catch (error) {
    count.textContent = `Not copied, because ${error.message}`;
  }
  copy.focus();
});

body.addEventListener("change", tell);
body.addEventListener("click", (event) => {
  if (!event.target.closest("a, input, .pick") && !getSelection().toString()) {
    open({ id: event.target.closest("tr").dataset.variant });
  }
});
tell();
