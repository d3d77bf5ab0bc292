// Draws every chart in the colours of the reader's theme and the width of the window, and again when these change.
(async () => {
  "use strict";
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const font = 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif';

  const titleSize = 15;
  const subtitleSize = 12;
  const menuWidth = 48;
  const measure = document.createElement("canvas").getContext("2d");

  // The text in lines that leave room for the export menu at their right.
  const wrap = (text, style, chart) => {
    measure.font = style;
    const lines = [];
    for (const word of text.split(" ")) {
      const longer = lines.length ? `${lines.at(-1)} ${word}` : word;
      if (lines.length && measure.measureText(longer).width <= chart.clientWidth - menuWidth) lines[lines.length - 1] = longer;
      else lines.push(word);
    }
    return lines;
  };

  // So many columns of a legend at the top fit into the chart, whose entries have these names.
  const symbolWidth = 34;
  const axisWidth = 72;
  const legendColumns = (names, chart) => {
    measure.font = `13px ${font}`;
    const widest = Math.min(labelLimit(chart), Math.max(0, ...names.map((name) => measure.measureText(name).width)));
    return Math.max(1, Math.floor((chart.clientWidth - axisWidth - menuWidth) / (widest + symbolWidth)));
  };
  const labelLimit = (chart) => Math.min(320, chart.clientWidth - axisWidth - menuWidth);
  const namesOf = (spec) => {
    const names = new Set();
    for (const rows of Object.values(spec.datasets ?? {})) for (const row of rows) if (row.series) names.add(row.series);
    return [...names];
  };

  const place = (log, value) => (log ? Math.log(value) : value);

  // ---- maps --------------------------------------------------------------------------------------------------------------

  // On a phone the legend of the colours stands under the map.
  const isNarrow = (chart) => chart.clientWidth < 520;
  const placeLegend = (spec, chart) => {
    const colour = spec.layer?.find((layer) => layer.name === "cells")?.encoding.color;
    if (!colour || !isNarrow(chart)) return;
    const gradientLength = chart.clientWidth - axisWidth - menuWidth;
    colour.legend = { ...colour.legend, orient: "bottom", direction: "horizontal", gradientLength, columns: 2 };
  };

  // Ridges keep away from the end of their colours that the paper has.
  const contrastRidges = (spec) => {
    const ridges = spec.layer?.find((layer) => layer.name === "ridges");
    if (!ridges) return;
    const onDark = dark.matches && !document.documentElement.classList.contains("printed");
    ridges.encoding.color.scale = { scheme: { name: "viridis", extent: onDark ? [0.3, 1] : [0, 0.9] } };
  };

  // The export menu stands over a map, beside its title, and not on the map or on its legend.
  const menuHeight = 40;
  const topRoom = (spec) => {
    const isMap = spec.layer?.some((layer) => layer.name === "cells");
    const above = spec.title ? titleSize + 12 : 0;
    return isMap ? menuHeight - above : 4;
  };

  // The names of regions stay within the map.
  const keepInside = (spec, chart) => {
    const encoding = spec.layer?.find((layer) => layer.name === "regions")?.encoding;
    if (!encoding) return;
    const legendWidth = isNarrow(chart) ? 0 : 90;
    const sizes = { x: chart.clientWidth - axisWidth - legendWidth, y: spec.height };
    measure.font = `600 13px ${font}`;
    for (const row of spec.datasets.regions) {
      const channel = row.angle ? "y" : "x";
      const { domain, type } = encoding[channel].scale;
      const log = type === "log";
      const [low, high] = domain.map((end) => place(log, end));
      const half = Math.min(0.5, (measure.measureText(row.label).width / 2 + 4) / sizes[channel]);
      const share = Math.min(1 - half, Math.max(half, (place(log, row[channel]) - low) / (high - low)));
      const at = low + share * (high - low);
      row[channel] = log ? Math.exp(at) : at;
    }
  };

  // ---- maps of many cells: one image, painted from their values --------------------------------------------------------

  const decoded = (grid) => {
    const bytes = Uint8Array.from(atob(grid.values), (c) => c.charCodeAt(0));
    return new Float64Array(bytes.buffer);
  };
  // The number of the cell at a value of an axis; -1 beside all of them.
  const cellAt = (axis, value) => axis.edges.findIndex((edge, i) => i > 0 && value <= edge && value >= axis.edges[0]) - 1;

  // For each pixel along an axis, evenly spaced as it is drawn, the number of its cell: as many as cells where those are
  // equally wide.
  const pixelsOf = (axis) => {
    const edges = axis.edges.map((edge) => place(axis.log, edge));
    const all = edges.at(-1) - edges[0];
    const count = axis.values.length;
    const even = edges.every((edge, i) => Math.abs(edge - edges[0] - (all * i) / count) < (1e-6 * all) / count);
    const pixels = even ? count : Math.min(8 * count, 2048);
    let cell = 0;
    return Array.from({ length: pixels }, (_, p) => {
      const at = edges[0] + (all * (p + 0.5)) / pixels;
      while (cell + 1 < count && edges[cell + 1] < at) ++cell;
      return cell;
    });
  };

  const rgb = (colour) => {
    const parts = colour.startsWith("#") ? colour.slice(1).match(/../g).map((hex) => parseInt(hex, 16)) : colour.match(/\d+/g).map(Number);
    return parts.slice(0, 3);
  };

  // The colour of a value, null where it cannot be drawn.
  const colouring = (grid, values) => {
    if (grid.categories.length) {
      const colours = vega.scheme("tableau10").map(rgb);
      return (value) => (Number.isFinite(value) ? colours[value % colours.length] : null);
    }
    const drawable = (value) => Number.isFinite(value) && (!grid.value.log || value > 0);
    let [low, high] = [Infinity, -Infinity];
    for (const value of values) if (drawable(value)) [low, high] = [Math.min(low, value), Math.max(high, value)];
    [low, high] = [place(grid.value.log, low), place(grid.value.log, high)];
    const scheme = vega.scheme("viridis");
    const steps = 256;
    const colours = Array.from({ length: steps }, (_, i) => rgb(scheme(i / (steps - 1))));
    return (value) =>
      drawable(value) ? colours[high > low ? Math.round(((place(grid.value.log, value) - low) / (high - low)) * (steps - 1)) : 0] : null;
  };

  const painted = (grid, values) => {
    const [columns, rows] = [pixelsOf(grid.x), pixelsOf(grid.y)];
    const colour = colouring(grid, values);
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [columns.length, rows.length];
    const context = canvas.getContext("2d");
    const image = context.createImageData(columns.length, rows.length);
    rows.forEach((y, row) => {
      columns.forEach((x, column) => {
        const found = colour(values[x * grid.y.values.length + y]);
        // The first row of cells is the lowest one.
        if (found) image.data.set([...found, 255], 4 * ((rows.length - 1 - row) * columns.length + column));
      });
    });
    context.putImageData(image, 0, 0);
    return canvas.toDataURL();
  };

  const shownValue = (grid, value) => (grid.categories.length ? (grid.categories[value] ?? "–") : Number.isFinite(value) ? value.toPrecision(4) : "–");

  // Says under the chart what the cell under the pointer is.
  const readOut = (chart, grid, values) => {
    const line = chart.closest("figure")?.querySelector(".readout");
    if (!line) return;
    line.classList.add("used");
    line.textContent = "Point at a cell to read it.";
    chart.view.addEventListener("mousemove", (event) => {
      const box = chart.querySelector("svg").getBoundingClientRect();
      const scale = box.width / chart.querySelector("svg").clientWidth || 1;
      const [left, top] = chart.view.origin();
      const [x, y] = [
        chart.view.scale("x").invert((event.clientX - box.left) / scale - left),
        chart.view.scale("y").invert((event.clientY - box.top) / scale - top),
      ];
      const [i, k] = [cellAt(grid.x, x), cellAt(grid.y, y)];
      if (i < 0 || k < 0) return;
      const value = shownValue(grid, values[i * grid.y.values.length + k]);
      const at = (axis, index) => `${axis.title} = ${Number(axis.values[index].toPrecision(4))}`;
      line.textContent = `${at(grid.x, i)}, ${at(grid.y, k)}: ${grid.value.title} ${value}`;
    });
  };

  const csvOf = (grid) => {
    const values = decoded(grid);
    const quoted = (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
    const lines = [[grid.x.id, grid.y.id, grid.value.id].map(quoted).join(",")];
    grid.x.values.forEach((x, i) =>
      grid.y.values.forEach((y, k) => {
        const value = values[i * grid.y.values.length + k];
        lines.push([x, y, grid.categories.length ? quoted(grid.categories[value] ?? "") : Number.isFinite(value) ? value : "nan"].join(","));
      }),
    );
    return lines.join("\r\n") + "\r\n";
  };

  // ---- files ------------------------------------------------------------------------------------------------------------

  const save = (name, type, text) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  };
  const specOf = (id) => JSON.parse(document.getElementById(id).textContent);
  for (const button of document.querySelectorAll("button.save")) {
    button.addEventListener("click", () => {
      const number = button.dataset.csv;
      if (number === undefined) return save(button.dataset.input, "application/toml", button.closest("details").querySelector("pre").textContent);
      const text = document.getElementById(`csv-${number}`);
      save(`attnlaw-chart-${number}.csv`, "text/csv", text ? JSON.parse(text.textContent) : csvOf(specOf(`spec-${number}`).usermeta.grid));
    });
  }

  // ---- charts -----------------------------------------------------------------------------------------------------------

  // The colours of the style sheet, as the page shows them now.
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const theme = (chart, spec) => {
    const names = namesOf(spec);
    // A line of the legend is long enough to show its dashes; beside points it is as large as they are.
    const lines = spec.datasets?.theory?.length || spec.datasets?.lines?.length;
    const symbolSize = lines && !spec.datasets?.experiment?.length ? 500 : 90;
    const [paper, ink, quiet, grid] = ["--paper", "--ink", "--quiet", "--grid"].map(colour);
    return {
      background: paper,
      padding: { left: 0, top: topRoom(spec), right: 4, bottom: 4 },
      font,
      view: { stroke: null },
      axis: { domainColor: quiet, tickColor: quiet, gridColor: grid, labelColor: quiet, titleColor: ink, labelFontSize: 12, labelSeparation: 6,
              titleFontSize: 13, titleFontWeight: "normal", titlePadding: 10 },
      legend: { labelColor: ink, titleColor: ink, labelFontSize: 13, symbolSize, symbolStrokeWidth: 2, offset: 8,
                ...(names.length ? { columns: legendColumns(names, chart), labelLimit: labelLimit(chart) } : {}) },
      title: { color: ink, subtitleColor: quiet, fontSize: titleSize, fontWeight: 600, subtitleFontSize: subtitleSize, subtitlePadding: 6, offset: 12 },
      style: { annotation: { color: ink }, atom: { stroke: ink, strokeWidth: 1 }, "annotation-label": { color: ink, fontSize: 12 } },
    };
  };

  // Breaks title and notes into lines. Where the heading of the section is the title, the notes stand in its place.
  const setTitle = (spec, chart) => {
    const { text, subtitle } = spec.title ?? {};
    const notes = subtitle && wrap(subtitle.join(" "), `${subtitleSize}px ${font}`, chart);
    if (text) spec.title = { ...spec.title, text: wrap(text, `600 ${titleSize}px ${font}`, chart), ...(notes ? { subtitle: notes } : {}) };
    else if (notes) spec.title = { text: notes, anchor: "start", fontSize: subtitleSize, fontWeight: "normal", color: colour("--quiet") };
    else delete spec.title;
  };

  // Series are singled out in the legend, axes moved (drag) and zoomed (Shift and wheel); a double click puts them back.
  const addInteraction = (spec) => {
    const axes = spec.layer?.find((layer) => layer.encoding?.x?.field === "x" && layer.encoding.y?.field === "y");
    if (!namesOf(spec).length || !axes) return false;
    axes.params = [
      { name: "zoom", select: { type: "interval", zoom: "wheel![event.shiftKey]" }, bind: "scales" },
      { name: "shown", select: { type: "point", fields: ["series"] }, bind: "legend" },
    ];
    for (const layer of spec.layer) {
      if (layer.encoding?.color?.field === "series")
        layer.encoding.opacity = { condition: { param: "shown", value: 1 }, value: 0.08 };
      // Ticks that fit the whole are few in a part of it.
      for (const [channel, signal] of [["x", "zoom_x"], ["y", "zoom_y"]]) {
        const axis = layer.encoding?.[channel]?.axis;
        if (axis?.values && !axis.labelExpr) axis.values = { signal: `${signal} ? null : ${JSON.stringify(axis.values)}` };
      }
    }
    return true;
  };
  // Long numbers of logarithmic axes have exponents: 1e8, not 100000000.
  const shortenNumbers = (spec) => {
    const plain = "format(datum.value, '~g')";
    for (const layer of spec.layer ?? [])
      for (const { axis } of Object.values(layer.encoding ?? {})) {
        if (axis?.format !== "~g") continue;
        delete axis.format;
        axis.labelExpr = `abs(log(datum.value) / LN10) > 4.5 ? replace(format(datum.value, '~e'), '+', '') : ${plain}`;
      }
  };
  const explainInteraction = (chart) => {
    const caption = chart.closest("figure")?.querySelector("figcaption");
    if (!caption || caption.querySelector(".hint")) return;
    const hint = document.createElement("span");
    hint.className = "hint";
    hint.textContent = " Drag to move, Shift and wheel to zoom, double click to go back; a name in the legend singles out its series.";
    caption.append(hint);
  };

  // ---- from the point of a curve to its spectrum ------------------------------------------------------------------------

  // The charts of the page that say what they are of, and all spectra in them.
  const linked = [];
  const spectra = [];
  let chosen = null;
  const same = (a, b) =>
    typeof a === "number" && typeof b === "number" ? Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), Math.abs(b)) : String(a) === String(b);
  // Whether a spectrum is of this point: in all that both are told apart by.
  const isOf = (spectrum, point) => Object.entries(spectrum.at).every(([key, value]) => !(key in point) || same(value, point[key]));
  const isChosen = (spectrum) => chosen !== null && isOf(spectrum, chosen);

  const findLinks = (all) => {
    const found = all.map((chart) => ({ chart, ...specOf(chart.dataset.spec).usermeta }));
    for (const { chart, spectra: drawn } of found) drawn?.forEach((one, index) => spectra.push({ ...one, chart, index }));
    const leads = ({ curve }) => curve && spectra.some((spectrum) => curve.x in spectrum.at);
    if (found.some(leads)) linked.push(...found.filter((one) => one.spectra || leads(one)));
  };
  // Of spectra that are of one point, the first.
  const choices = () => spectra.filter((spectrum, i) => spectra.findIndex((other) => JSON.stringify(other.at) === JSON.stringify(spectrum.at)) === i);
  const linkOf = (chart) => linked.find((link) => link.chart === chart);

  // The chosen x is a line in a curve; beside a chosen ridge the others are faint.
  const prepareLink = (chart, spec) => {
    const link = linkOf(chart);
    const x = link?.curve && spec.layer.find((layer) => layer.encoding?.x?.field === "x");
    if (x) {
      // An empty set would have no place on the axis.
      link.nowhere = { x: [...(spec.datasets.theory ?? []), ...(spec.datasets.experiment ?? [])][0].x, opacity: 0 };
      spec.datasets.chosen = [link.nowhere];
      const mark = { type: "rule", style: "annotation", strokeWidth: 1.5, clip: true };
      const opacity = { field: "opacity", type: "quantitative", scale: null };
      spec.layer.push({ name: "chosen", data: { name: "chosen" }, mark, encoding: { x: x.encoding.x, opacity } });
    }
    const ridges = link?.spectra && spec.layer.filter((layer) => layer.encoding?.y2?.field === "ridge");
    if (ridges?.length) {
      spec.params = [...(spec.params ?? []), { name: "chosen", value: null }];
      for (const layer of ridges)
        layer.encoding.opacity = { condition: { test: "chosen === null || indexof(chosen, datum.ridge) >= 0", value: 1 }, value: 0.08 };
    }
  };

  const readLink = ({ chart, curve, spectra: drawn }) => {
    const line = chart.closest("figure").querySelector(".readout");
    line.classList.add("used");
    const mine = drawn ? spectra.filter((spectrum) => spectrum.chart === chart && isChosen(spectrum)) : [];
    if (!chosen) line.textContent = curve ? "Click at a point, or choose one, to see its spectrum." : "";
    else if (!curve) line.textContent = mine.length ? `Chosen: ${mine.map((spectrum) => spectrum.name).join("; ")}.` : "";
    else {
      const shown = spectra.filter(isChosen);
      line.textContent = shown.length ? `${[...new Set(shown.map((spectrum) => spectrum.name))].join("; ")}: ` : "No spectrum of this point is on the page.";
      for (const section of new Set(shown.map((spectrum) => spectrum.chart.closest("section")))) {
        const anchor = document.createElement("a");
        const heading = section.querySelector("h2");
        anchor.href = `#${heading.id}`;
        anchor.textContent = heading.textContent;
        line.append(anchor, " ");
      }
    }
  };

  const showLink = ({ chart, curve, spectra: drawn, nowhere }) => {
    if (!chart.view) return;
    if (curve) {
      const x = chosen?.[curve.x];
      const place = curve.words.length ? curve.words.indexOf(String(x)) : x;
      chart.view.data("chosen", [chosen && place !== undefined && place !== -1 ? { x: place, opacity: 1 } : nowhere]);
    } else if (drawn.length > 1) {
      const mine = spectra.filter((spectrum) => spectrum.chart === chart && isChosen(spectrum));
      chart.view.signal("chosen", mine.length ? mine.map((spectrum) => spectrum.index) : null);
    } else {
      const is = spectra.some((spectrum) => spectrum.chart === chart && isChosen(spectrum));
      chart.closest("figure").classList.toggle("chosen", is);
    }
    chart.view.run();
  };

  const choose = (point) => {
    const again = point && chosen && Object.keys({ ...point, ...chosen }).every((key) => same(point[key], chosen[key]));
    chosen = again ? null : point;
    const first = choices().findIndex(isChosen);
    for (const select of document.querySelectorAll(".link select")) select.value = first;
    for (const link of linked) [readLink, showLink].forEach((step) => step(link));
  };

  // What was clicked at: a point, a line or a ridge; beside them the nearest point that has a spectrum.
  const pointAt = ({ chart, curve, spectra: drawn }, event, item) => {
    const { view } = chart;
    if (drawn) return item?.datum?.ridge === undefined ? null : drawn[item.datum.ridge]?.at;
    const box = chart.querySelector("svg").getBoundingClientRect();
    const [left, top] = view.origin();
    const [x, y] = [event.clientX - box.left - left, event.clientY - box.top - top];
    if (x < 0 || y < 0 || x > view.width() || y > view.height()) return undefined;
    const datum = item?.datum;
    const keys = curve.series[datum?.series] ?? {};
    const valueAt = (place) => (curve.words.length ? curve.words[place] : place);
    if (item?.mark?.marktype === "symbol" && datum.x !== undefined) return { ...keys, [curve.x]: valueAt(datum.x) };
    const scale = view.scale("x");
    const pixel = (value) => scale(curve.words.length ? curve.words.indexOf(String(value)) : value);
    const values = spectra.map((spectrum) => spectrum.at[curve.x]).filter((value) => value !== undefined);
    const near = values.reduce((best, value) => (Math.abs(pixel(value) - x) < Math.abs(pixel(best) - x) ? value : best), values[0]);
    return { ...keys, [curve.x]: near };
  };

  const followLink = (link) => {
    if (link.spectra?.length === 1) return;
    const { chart } = link;
    // A drag moves the axes.
    let [x, y] = [0, 0];
    chart.onpointerdown = (event) => ([x, y] = [event.clientX, event.clientY]);
    chart.view.addEventListener("click", (event, item) => {
      if (Math.hypot(event.clientX - x, event.clientY - y) > 4) return;
      const point = pointAt(link, event, item);
      if (point !== undefined) choose(point);
    });
  };

  // By keyboard, and where points are too small to be hit.
  const addChoice = ({ chart }) => {
    const label = document.createElement("label");
    const select = document.createElement("select");
    label.className = "link";
    label.append("Spectrum at ", select);
    select.append(new Option("–", -1), ...choices().map((spectrum, i) => new Option(spectrum.name, i)));
    select.addEventListener("change", () => choose(choices()[select.value]?.at ?? null));
    chart.closest("figure").querySelector(".readout").before(label);
  };

  // The rows of a panel: its values, of which the first ones stand out.
  const panelRows = (id) => {
    const { outliers, values } = JSON.parse(document.getElementById(id).textContent);
    return values.map((z, i) => ({ z, kind: i < outliers ? "outlier" : "bulk" }));
  };

  const draw = async (chart) => {
    const spec = specOf(chart.dataset.spec);
    const grid = spec.usermeta?.grid;
    const values = grid ? decoded(grid) : null;
    if (grid) spec.layer.find((layer) => layer.name === "image").encoding.url.value = painted(grid, values);
    if (chart.dataset.values) spec.datasets.values = panelRows(chart.dataset.values);
    placeLegend(spec, chart);
    contrastRidges(spec);
    keepInside(spec, chart);
    setTitle(spec, chart);
    if (addInteraction(spec)) explainInteraction(chart);
    shortenNumbers(spec);
    prepareLink(chart, spec);
    const options = {
      mode: "vega-lite",
      renderer: "svg",
      ast: true,
      tooltip: { theme: dark.matches ? "dark" : "light" },
      actions: { export: { svg: true, png: true }, source: false, compiled: false, editor: false },
      scaleFactor: { svg: 1, png: 2 },
      downloadFileName: `attnlaw-${chart.dataset.values ?? chart.dataset.spec}`,
      config: theme(chart, spec),
    };
    try {
      chart.view?.finalize();
      chart.view = (await vegaEmbed(chart, spec, options)).view;
      if (grid) readOut(chart, grid, values);
      const link = linkOf(chart);
      if (link) followLink(link);
      if (link && chosen) showLink(link);
    } catch (error) {
      console.error(error);
      chart.textContent = `This chart could not be drawn: ${error.message}`;
    }
  };

  // The chart of a folded panel waits until the panel is opened.
  const charts = [...document.querySelectorAll(".chart")].filter((chart) => !chart.closest("details.panel"));
  const open = () => [...document.querySelectorAll("details.panel[open] .chart")];
  const drawAll = () => Promise.all([...charts, ...open()].map(draw));
  for (const panel of document.querySelectorAll("details.panel"))
    panel.addEventListener("toggle", () => panel.open && draw(panel.querySelector(".chart")));
  findLinks(charts);
  for (const link of linked) {
    if (link.curve || link.spectra.length > 1) addChoice(link);
    readLink(link);
  }
  await drawAll();
  dark.addEventListener("change", drawAll);
  // Prints are light, whatever the screen is, and show the whole.
  let [printed, kept] = [false, null];
  const print = (is) => {
    if (is === printed) return;
    printed = is;
    document.documentElement.classList.toggle("printed", is);
    [chosen, kept] = is ? [null, chosen] : [kept, null];
    linked.forEach(showLink);
    if (dark.matches) drawAll();
  };
  addEventListener("beforeprint", () => print(true));
  addEventListener("afterprint", () => print(false));
  // Vega fits the axes to a new width by itself; the titles need new lines.
  let width = innerWidth;
  let timer;
  addEventListener("resize", () => {
    if (innerWidth === width) return;
    width = innerWidth;
    clearTimeout(timer);
    timer = setTimeout(drawAll, 150);
  });
  document.documentElement.dataset.ready = charts.length + open().length;
})();
