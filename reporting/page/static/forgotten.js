// What compression forgot: which classes, under which corruptions, taken for what, and images that show it.

const { data, shared, element, number, words, addPart, numbers } = globalThis.page;

const { variants, pictures } = data("forgotten");
const select = document.getElementById("forgotten-variant");
const shown = document.getElementById("forgotten-shown");

const FEW = 6;

/** Return parts with the share of each that was forgotten, as a list of bars. */
function bars(title, list, name) {
  const most = Math.max(...list.map(([, count, right]) => (right ? count / right : 0)));
  return element(
    "div",
    { class: "bars" },
    element("h4", {}, title),
    element(
      "ol",
      {},
      list.map(([text, count, right]) => {
        const share = right ? count / right : 0;
        const bar = element("span", { class: "bar-of", "aria-hidden": "true" });
        bar.style.width = `${most ? (100 * share) / most : 0}%`;
        return element(
          "li",
          { title: `${number(count, 0)} of ${number(right, 0)}` },
          element("span", { class: "of" }, name(text)),
          element("span", { class: "figure" }, `${number(100 * share, 1)} %`),
          bar,
        );
      }),
    ),
  );
}

function gallery(examples) {
  return element(
    "div",
    { class: "gallery" },
    examples.map(([corruption, severity, image, label, predicted, picture]) => {
      const where = severity ? `${words(corruption)} ${severity}` : "clean";
      return element(
        "figure",
        {},
        element("img", { src: `data:image/webp;base64,${pictures[picture]}`, alt: `test image ${image}, ${where}` }),
        element("figcaption", {}, element("b", {}, `${label} → ${predicted}`), `, ${where}`),
      );
    }),
  );
}

function totals({ right, count, gained }) {
  return numbers([
    ["forgotten of what the original knew", `${number((100 * count) / right, 1)} %`, ` ${number(count, 0)} of ${number(right, 0)}`],
    ["learned, which the original did not know", number(gained, 0)],
  ]);
}

function confusions(list) {
  if (!list.length) return null;
  return element(
    "div",
    { class: "bars" },
    element("h4", {}, "Taken for"),
    element("ol", {}, list.map(([label, predicted, count]) =>
      element("li", {}, element("span", { class: "of" }, `${label} → ${predicted}`), element("span", { class: "figure" }, `${number(count, 0)} ×`)),
    )),
  );
}

function show() {
  const told = variants[select.value];
  shown.replaceChildren(
    totals(told),
    element(
      "div",
      { class: "columns" },
      bars("Most affected classes", told.classes, (name) => name),
      bars("Most affected corruptions", told.corruptions.slice(0, told.classes.length || FEW), words),
      confusions(told.confusions),
    ),
    gallery(told.examples),
  );
}

addPart("Forgotten images", (variant, place) => {
  const told = variants[place];
  if (!told) return [];
  return [totals(told), gallery(told.examples.slice(0, FEW))];
});

select.addEventListener("change", show);
document.getElementById("forgotten-choice").addEventListener("submit", (event) => event.preventDefault());
show();
