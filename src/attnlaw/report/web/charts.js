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
  const legendColumns = (names, chart) => {
    measure.font = `13px ${font}`;
    const widest = Math.min(labelLimit(chart), Math.max(0, ...names.map((name) => measure.measureText(name).width)));
    return Math.max(1, Math.floor((chart.clientWidth - menuWidth) / (widest + symbolWidth)));
  };
  const labelLimit = (chart) => Math.min(320, chart.clientWidth - 2 * symbolWidth);
  const namesOf = (spec) => {
    const names = new Set();
    for (const rows of Object.values(spec.datasets ?? {})) for (const row of rows) if (row.series) names.add(row.series);
    return [...names];
  };

  // ---- maps of many cells: one image, painted from their values --------------------------------------------------------

  const decoded = (grid) => {
    const bytes = Uint8Array.from(atob(grid.values), (c) => c.charCodeAt(0));
    return new Float64Array(bytes.buffer);
  };
  const place = (log, value) => (log ? Math.log(value) : value);

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
      padding: { left: 0, top: 4, right: 4, bottom: 4 },
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
  const explainInteraction = (chart) => {
    const caption = chart.closest("figure")?.querySelector("figcaption");
    if (!caption || caption.querySelector(".hint")) return;
    const hint = document.createElement("span");
    hint.className = "hint";
    hint.textContent = " Drag to move, Shift and wheel to zoom, double click to go back; a name in the legend singles out its series.";
    caption.append(hint);
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
    setTitle(spec, chart);
    if (addInteraction(spec)) explainInteraction(chart);
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
  await drawAll();
  dark.addEventListener("change", drawAll);
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
