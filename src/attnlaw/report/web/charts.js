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

  // The colours of the style sheet, as the page shows them now.
  const theme = () => {
    const style = getComputedStyle(document.documentElement);
    const [paper, ink, quiet, grid] = ["--paper", "--ink", "--quiet", "--grid"].map((name) => style.getPropertyValue(name).trim());
    return {
      background: paper,
      padding: { left: 0, top: 4, right: 4, bottom: 4 },
      font,
      view: { stroke: null },
      axis: { domainColor: quiet, tickColor: quiet, gridColor: grid, labelColor: quiet, titleColor: ink, labelFontSize: 12, labelSeparation: 6,
              titleFontSize: 13, titleFontWeight: "normal", titlePadding: 10 },
      legend: { labelColor: ink, titleColor: ink, labelFontSize: 13, symbolSize: 90, symbolStrokeWidth: 2, offset: 8 },
      title: { color: ink, subtitleColor: quiet, fontSize: titleSize, fontWeight: 600, subtitleFontSize: subtitleSize, subtitlePadding: 6, offset: 12 },
      style: { annotation: { color: ink }, "annotation-label": { color: ink, fontSize: 12 } },
    };
  };

  const draw = async (chart) => {
    const spec = JSON.parse(document.getElementById(chart.dataset.spec).textContent);
    if (chart.dataset.rows) spec.datasets.values = JSON.parse(document.getElementById(chart.dataset.rows).textContent);
    if (spec.title?.text) spec.title.text = wrap(spec.title.text, `600 ${titleSize}px ${font}`, chart);
    if (spec.title?.subtitle) spec.title.subtitle = wrap(spec.title.subtitle.join(" "), `${subtitleSize}px ${font}`, chart);
    const options = {
      mode: "vega-lite",
      renderer: "svg",
      ast: true,
      tooltip: { theme: dark.matches ? "dark" : "light" },
      actions: { export: { svg: true, png: true }, source: false, compiled: false, editor: false },
      scaleFactor: { svg: 1, png: 2 },
      downloadFileName: `attnlaw-${chart.dataset.rows ?? chart.dataset.spec}`,
      config: theme(),
    };
    try {
      chart.view?.finalize();
      chart.view = (await vegaEmbed(chart, spec, options)).view;
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
