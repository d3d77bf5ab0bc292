// Draws every chart in the colours of the reader's theme, and again when the theme changes.
(async () => {
  "use strict";
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const font = 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif';

  // The colours of the style sheet, as the page shows them now.
  const theme = () => {
    const style = getComputedStyle(document.documentElement);
    const [paper, ink, quiet, grid] = ["--paper", "--ink", "--quiet", "--grid"].map((name) => style.getPropertyValue(name).trim());
    return {
      background: paper,
      font,
      view: { stroke: null },
      axis: { domainColor: quiet, tickColor: quiet, gridColor: grid, labelColor: quiet, titleColor: ink, labelFontSize: 12,
              titleFontSize: 13, titleFontWeight: "normal", titlePadding: 10 },
      legend: { labelColor: ink, labelFontSize: 13, symbolSize: 90, symbolStrokeWidth: 2, offset: 8 },
      title: { color: ink, subtitleColor: quiet, fontSize: 15, fontWeight: 600, subtitleFontSize: 12, subtitlePadding: 6, offset: 12 },
      style: { annotation: { stroke: ink }, "annotation-label": { fill: ink, fontSize: 12 } },
    };
  };

  const draw = async (chart) => {
    const spec = JSON.parse(document.getElementById(chart.dataset.spec).textContent);
    const options = {
      mode: "vega-lite",
      renderer: "svg",
      ast: true,
      tooltip: { theme: dark.matches ? "dark" : "light" },
      actions: { export: { svg: true, png: true }, source: false, compiled: false, editor: false },
      scaleFactor: { svg: 1, png: 2 },
      downloadFileName: `attnlaw-${chart.dataset.spec}`,
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

  const charts = [...document.querySelectorAll(".chart")];
  const drawAll = () => Promise.all(charts.map(draw));
  await drawAll();
  dark.addEventListener("change", drawAll);
  document.documentElement.dataset.ready = charts.length;
})();
