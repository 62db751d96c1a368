// The choice: which variant saves most at what cost, in a chart and as an answer to a question.

const { data, shared, metrics, element, number, shown, figure, label, link, numbers, words } = globalThis.page;
const { colour, faint, onTheme, plotly, plain, layout, config, open } = globalThis.page;

const { limits } = data("choice");
const weather = data("weather");

const plot = document.getElementById("choice-plot");
const answer = document.getElementById("choice-answer");
const list = document.getElementById("choice-list");
const key = document.getElementById("choice-key");
const axes = document.getElementById("choice-axes").elements;
const asked = document.getElementById("choice-limits").elements;

const SHAPES = ["circle", "square", "diamond", "triangle-up", "pentagon", "hexagon2", "triangle-down", "star"];
const SIZES = [20, 18, 24, 25, 21, 21, 25, 26];
const LISTED = 6;

/** Whether there is only the room of a telephone. */
const narrow = () => plot.clientWidth < 520;

const dataset = () => axes.dataset?.value ?? shared.datasets[0];
const here = () => shared.variants.filter((variant) => variant.dataset === dataset());
const value = (variant, key) => variant.figures[key][0];

/** Return a value so that more is better. */
const merit = (variant, key) => (metrics.get(key).better === "more" ? 1 : -1) * value(variant, key);

/** Return the variants of a list that have all of some metrics and that no other one of these beats. */
function front(variants, keys) {
  const ranked = variants.filter((variant) => keys.every((key) => value(variant, key) !== null));
  const beats = (one, other) =>
    keys.every((key) => merit(one, key) >= merit(other, key)) && keys.some((key) => merit(one, key) > merit(other, key));
  return new Set(ranked.filter((variant) => !ranked.some((other) => beats(other, variant))));
}

// The question

const limited = Object.keys(shared.variants[0].figures).filter((key) => asked[key]);
const objective = ["zipped", "mce", "accuracy"].find((key) => metrics.has(key));

/** Return by how much a variant misses a limit, in the unit of the metric; 0 if it keeps it. */
function shortfall(variant, key) {
  const metric = metrics.get(key);
  const [middle, low, high] = variant.figures[key];
  const most = metric.better === "less";
  const held = asked.whole?.checked ? (most ? high : low) : middle;
  if (held === null) return Infinity;
  const beyond = most ? metric.factor * held - asked[key].valueAsNumber : asked[key].valueAsNumber - metric.factor * held;
  return Math.max(0, beyond);
}

const active = () => limited.filter((key) => !asked[key].disabled);
const qualifies = (variant) => active().every((key) => shortfall(variant, key) < 1e-9);

/** Return the variants in the order of preference: those that qualify, the best first, then the nearest. */
function ranked() {
  const range = (key) => Number(asked[key].max) - Number(asked[key].min) || 1;
  const miss = (variant) => active().reduce((sum, key) => sum + shortfall(variant, key) / range(key), 0);
  const worth = (variant) => (value(variant, objective) === null ? -Infinity : merit(variant, objective));
  const scored = here().map((variant) => ({ variant, miss: miss(variant), worth: worth(variant) }));
  const fit = scored.filter(({ variant, worth }) => qualifies(variant) && worth > -Infinity);
  const unfit = scored.filter((one) => !fit.includes(one));
  fit.sort((one, other) => other.worth - one.worth || label(one.variant).localeCompare(label(other.variant)));
  unfit.sort((one, other) => one.miss - other.miss || other.worth - one.worth);
  return [fit, unfit].map((some) => some.map(({ variant }) => variant));
}

/** Return where a variant errs most beside its original, in words; `null` of an original. */
function cost(variant) {
  if (variant.technique === "original") return null;
  const place = shared.variants.indexOf(variant);
  const found = (weather?.ce[place] ?? []).map((ce, at) => [ce, weather.corruptions[variant.dataset][at]]);
  const known = found.filter(([ce]) => ce && ce[0] !== null);
  if (!known.length) return null;
  const [[most, low, high], name] = known.reduce((one, other) => (other[0][0] > one[0][0] ? other : one));
  const around = low === null || low === high ? "" : ` ±${number(Math.max(most - low, high - most), 0)}`;
  const rise = most - 100;
  const than = rise >= 0.5 ? `${number(rise, 0)} % more errors than the original` : "no more errors than the original";
  return `Costs most under ${words(name)}: ${than} (CE ${number(most, 0)}${around}).`;
}

function misses(variant) {
  const told = active().flatMap((key) => {
    const metric = metrics.get(key);
    const by = shortfall(variant, key);
    if (by === Infinity) return [`its ${metric.title}${asked.whole?.checked ? "’s interval" : ""} is not known`];
    return by > 1e-9 ? [`it misses the ${metric.title} by ${number(by, metric.decimals)}${key === "accuracy" ? " points" : ""}`] : [];
  });
  return told.length ? told.join(" and ") : "its size is not known";
}

function showAnswer([fit, unfit]) {
  const best = fit[0];
  answer.className = best ? "answer" : "answer missed";
  const variant = best ?? unfit[0];
  const figures = [...new Set([objective, "mce", "accuracy", "compression_ratio"])].filter((key) => metrics.has(key));
  answer.replaceChildren(
    ...(best ? [] : [element("p", {}, element("b", {}, "None qualifies. "), `Nearest is this one, but ${misses(variant)}:`)]),
    element("p", { class: "name" }, link(variant)),
    numbers(figures.map((key) => [metrics.get(key).title, figure(variant, key)])),
    ...[cost(variant)].filter(Boolean).map((text) => element("p", { class: "costs" }, text)),
  );
  answer.dataset.variant = variant.id;
  const others = [...fit.slice(1), ...unfit.filter((one) => one !== variant)].slice(0, LISTED);
  list.replaceChildren(
    ...others.map((one) =>
      element(
        "li",
        {},
        element("span", { class: "of" }, fit.includes(one) ? "" : "✗ ", link(one, label(one, false))),
        element("span", { class: "figure" }, figure(one, objective)),
      ),
    ),
    element("li", { class: "soft" }, `${fit.length} of ${fit.length + unfit.length} variants qualify.`),
  );
}

function tellLimits() {
  const ranges = limits[dataset()];
  for (const name of limited) {
    const metric = metrics.get(name);
    document.getElementById(`choice-${name}-told`).value =
      name in ranges ? number(asked[name].valueAsNumber, 1) + (name === "accuracy" ? " %" : "") : "not known here";
  }
}

function resetLimits() {
  const ranges = limits[dataset()];
  for (const name of limited) {
    asked[name].disabled = !(name in ranges);
    if (name in ranges) {
      const { min, max, step, start } = ranges[name];
      Object.assign(asked[name], { min, max, step });
      asked[name].value = start;
    }
  }
}

// The chart

/** Return what stands at an axis: the metric with its unit, and which way is better. */
function axisTitle(metric) {
  const unit = narrow() ? metric.unit.split(" ")[0] : metric.unit;
  const name = metric.unit === "×" ? metric.title : `${metric.title} in ${unit}`;
  return plain(metric.better === "more" ? `${name}   (more is better →)` : `(← less is better)   ${name}`);
}

/** From this ratio of the largest to the smallest figure on, an axis is logarithmic. */
const WIDE = 10;

/** Return how an axis goes: `log` or not, and its `range` around what is drawn, which is in powers of ten then. */
function scaleOf(variants, name) {
  const factor = metrics.get(name).factor;
  const whiskers = axes.whiskers?.checked ?? false;
  const ends = variants.flatMap((variant) => (whiskers ? variant.figures[name] : [value(variant, name)]));
  const known = ends.filter((end) => end !== null).map((end) => factor * end);
  const log = Math.min(...known) > 0 && Math.max(...known) > WIDE * Math.min(...known);
  const [low, high] = [Math.min(...known), Math.max(...known)].map((end) => (log ? Math.log10(end) : end));
  const air = 0.07 * (high - low) || Math.abs(high) * 0.05 || 1;
  return { log, range: [low - air, high + air] };
}

/** Return the ticks of a logarithmic axis: 1, 2 and 5 of each power of ten. */
function ticksOf([low, high]) {
  const powers = Array.from({ length: Math.ceil(high) - Math.floor(low) + 1 }, (_, place) => Math.floor(low) + place);
  return powers.flatMap((power) => [1, 2, 5].map((step) => step * 10 ** power));
}

/** Return where points are drawn: those that hide each other completely, as originals do, stand side by side. */
function spread(variants, x, y) {
  const { log, range } = scaleOf(variants, x);
  const pixel = (range[1] - range[0]) / Math.max(200, plot.clientWidth - 90);
  const groups = Map.groupBy(variants, (variant) => `${value(variant, x)} ${value(variant, y)}`);
  const moved = new Map();
  for (const some of groups.values()) {
    some.forEach((variant, place) => {
      const middle = metrics.get(x).factor * value(variant, x);
      const aside = 17 * pixel * (place - (some.length - 1) / 2);
      moved.set(variant, log ? middle * 10 ** aside : middle + aside);
    });
  }
  return moved;
}

const VIRIDIS = ["#440154", "#472c7a", "#3b518b", "#2c718e", "#21908d", "#27ad81", "#5cc863", "#aadc32", "#fde725"];

/** Return the colour at a place from 0 to 1 of a scale from dark to light. */
function onScale(share) {
  const at = Math.min(Math.max(share, 0), 1) * (VIRIDIS.length - 1);
  const [low, high] = [Math.floor(at), Math.ceil(at)].map((place) =>
    [1, 3, 5].map((start) => parseInt(VIRIDIS[place].slice(start, start + 2), 16)),
  );
  return low.map((channel, place) => Math.round(channel + (at % 1) * (high[place] - channel)));
}

/** Return how a variant is told when one points at it. */
function hover(variant) {
  const lines = [...metrics.values()].map((metric) => `${metric.title}  <b>${plain(figure(variant, metric.key))}</b>`);
  if (variant.front !== null) lines.push(`surely on the front  <b>${number(100 * variant.front, 0)} %</b>`);
  return [`<b>${plain(label(variant))}</b>`, ...lines].join("<br>");
}

function traces(variants, [x, y, third], best) {
  const keys = [x, y, third].filter(Boolean);
  const leading = front(variants, keys);
  const whiskers = axes.whiskers?.checked ?? false;
  const moved = spread(variants, x, y);
  const known = third ? variants.map((variant) => value(variant, third)).filter((one) => one !== null) : [];
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const scaled = high > low;
  const tone = (variant) => {
    if (!scaled || value(variant, third) === null) return null;
    const share = (value(variant, third) - low) / (high - low);
    return onScale(metrics.get(third).better === "more" ? share : 1 - share);
  };
  const models = [...new Set(variants.map((variant) => variant.model))];
  const ink = colour("ink");
  const paper = colour("paper");
  const accent = colour("accent");
  const up = (variant) => metrics.get(y).factor * value(variant, y);
  const whisker = (some, name) => {
    const factor = metrics.get(name).factor;
    const side = (variant, end) => {
      const [middle, ...ends] = variant.figures[name];
      return ends[end] === null ? 0 : factor * Math.abs(ends[end] - middle);
    };
    return {
      type: "data",
      visible: whiskers,
      symmetric: false,
      array: some.map((variant) => side(variant, 1)),
      arrayminus: some.map((variant) => side(variant, 0)),
      color: faint(ink, 0.4),
      thickness: 1,
      width: 0,
    };
  };

  const edge = [...front(variants, [x, y])].sort((one, other) => value(one, x) - value(other, x));
  const line = {
    name: "front of both axes",
    x: edge.map((variant) => metrics.get(x).factor * value(variant, x)),
    y: edge.map(up),
    mode: "lines",
    line: { color: accent, width: 1.5, shape: metrics.get(x).better === "more" ? "vh" : "hv" },
    hoverinfo: "skip",
    showlegend: !narrow(),
  };
  const points = models.map((model, index) => {
    const some = variants.filter((variant) => variant.model === model);
    const tones = some.map(tone);
    const opacity = some.map((variant) => (leading.has(variant) ? 1 : 0.38));
    const light = (rgb) => 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2] > 140;
    return {
      name: plain(model),
      x: some.map((variant) => moved.get(variant)),
      y: some.map(up),
      mode: "markers+text",
      customdata: some.map((variant) => variant.id),
      hovertext: some.map(hover),
      hoverinfo: "text",
      text: some.map((variant) => plain(variant.number.slice(1))),
      textposition: "middle center",
      textfont: {
        size: narrow() ? 8.5 : 10,
        color: some.map((variant, place) =>
          leading.has(variant) && tones[place] ? (light(tones[place]) ? "#10151a" : "#ffffff") : ink,
        ),
      },
      marker: {
        symbol: SHAPES[index % SHAPES.length],
        size: SIZES[index % SIZES.length] * (narrow() ? 0.8 : 1),
        color: tones.map((rgb) => (rgb ? `rgb(${rgb})` : scaled ? paper : faint(accent, 0.25))),
        opacity,
        line: { width: some.map((variant) => (leading.has(variant) ? 1.5 : 0.75)), color: ink },
      },
      error_x: whisker(some, x),
      error_y: whisker(some, y),
    };
  });
  const failing = variants.filter((variant) => !qualifies(variant));
  const crosses = {
    name: "does not qualify",
    x: failing.map((variant) => moved.get(variant)),
    y: failing.map(up),
    mode: "markers",
    hoverinfo: "skip",
    showlegend: !narrow(),
    // Behind the points, whose numbers are to be read, and looking out from behind them.
    marker: { symbol: "x-thin-open", size: narrow() ? 20 : 27, color: colour("bad"), line: { width: 1.5 }, opacity: 0.75 },
  };
  const chosen = {
    name: "the answer",
    x: best && moved.has(best) ? [moved.get(best)] : [],
    y: best && moved.has(best) ? [up(best)] : [],
    mode: "markers",
    hoverinfo: "skip",
    showlegend: !narrow(),
    marker: { symbol: "circle-open", size: narrow() ? 26 : 32, color: accent, line: { width: 3 } },
  };
  // A trace without points of which only the scale of colours is seen.
  const scale = scaled && {
    x: [null],
    y: [null],
    mode: "markers",
    showlegend: false,
    hoverinfo: "skip",
    marker: {
      color: [metrics.get(third).factor * low, metrics.get(third).factor * high],
      cmin: metrics.get(third).factor * low,
      cmax: metrics.get(third).factor * high,
      colorscale: (metrics.get(third).better === "more" ? VIRIDIS : VIRIDIS.toReversed()).map((tint, place) => [place / (VIRIDIS.length - 1), tint]),
      showscale: true,
      colorbar: {
        title: { text: axisTitle(metrics.get(third)), side: "right", font: { size: 12 } },
        thickness: 11,
        xpad: 4,
        outlinewidth: 0,
        tickfont: { color: colour("soft") },
      },
    },
  };
  return [line, crosses, ...points, chosen, scale].filter(Boolean);
}

async function draw(best) {
  const [x, y, third] = ["x", "y", "colour"].map((name) => axes[name].value);
  const variants = here().filter((variant) => value(variant, x) !== null && value(variant, y) !== null);
  const away = here().length - variants.length;
  key.textContent =
    "A number is a technique, as in the table below. " +
    `Faded: another variant is at least as good in ${[...new Set([x, y, third])].filter(Boolean).map((name) => metrics.get(name).title).join(", ").replace(/, ([^,]*)$/, " and $1")} and better in one of them. ` +
    "✗: does not qualify. Ringed: the answer." +
    (away ? ` ${away} ${away === 1 ? "variant has" : "variants have"} no place here, because one of the two figures is not known.` : "");
  const Plotly = await plotly();
  if (!variants.length) {
    Plotly.purge(plot);
    plot.replaceChildren(element("p", { class: "note" }, "No variant of this data set has both figures."));
    return;
  }
  const axis = (name) => {
    const { log, range } = scaleOf(variants, name);
    const ticks = log ? { type: "log", tickvals: ticksOf(range) } : { type: "linear", tickvals: null };
    return { ...ticks, range, title: { text: axisTitle(metrics.get(name)), standoff: 8 } };
  };
  await Plotly.react(
    plot,
    traces(variants, [x, y, third], best),
    layout({ xaxis: axis(x), yaxis: axis(y), uirevision: `${dataset()} ${x} ${y}` }),
    config,
  );
  plot.removeAllListeners("plotly_click");
  plot.on("plotly_click", ({ points }) => {
    const id = points.find((point) => point.customdata)?.customdata;
    if (id) open({ id });
  });
}

let waiting = null;

/** Show the answer at once, and the chart with the next frame, however often a slider moves until then. */
function update() {
  tellLimits();
  const groups = ranked();
  showAnswer(groups);
  waiting ??= requestAnimationFrame(() => {
    waiting = null;
    draw(ranked()[0][0]);
  });
}

for (const form of ["choice-axes", "choice-limits"].map((id) => document.getElementById(id))) {
  form.addEventListener("submit", (event) => event.preventDefault());
  for (const event of ["input", "change"]) {
    form.addEventListener(event, ({ target }) => {
      if (target.name === "dataset") resetLimits();
      update();
    });
  }
}
onTheme(() => draw(ranked()[0][0])); // without waiting for a frame, which paper has none of
resetLimits();
update();
