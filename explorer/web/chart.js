// Charts as SVG: drawn anew from plain data several times in a frame's time, exported as they stand.

const chartColors = ["--c1", "--c2", "--c3", "--c4", "--c5", "--c6"];
const chartDashes = ["", "7 4", "2 3", "9 3 2 3", "4 2", "1 2"];
const formatTick = (value) => {
  if (value === 0) return "0";
  const size = Math.abs(value);
  return size >= 1e4 || size < 1e-3 ? value.toExponential(size < 1e-3 || size >= 1e4 ? 0 : 2).replace("e+", "e") : String(Number(value.toPrecision(6)));
};
const formatNumber = (value, digits = 4) => {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  const size = Math.abs(value);
  return size !== 0 && (size >= 1e5 || size < 1e-3) ? value.toExponential(digits - 1).replace("e+", "e") : String(Number(value.toPrecision(digits)));
};

// A scale from numbers to pixels; `log` for logarithms.
const makeScale = (low, high, from, to, log) => {
  const of = log ? Math.log10 : Number;
  const a = of(low), b = of(high);
  const at = (value) => from + ((of(value) - a) / (b - a)) * (to - from);
  const back = (pixel) => {
    const value = a + ((pixel - from) / (to - from)) * (b - a);
    return log ? 10 ** value : value;
  };
  return { at, back, low, high, log };
};

const logTicks = (low, high) => {
  const first = Math.floor(Math.log10(low)), last = Math.ceil(Math.log10(high));
  const decades = Math.log10(high / low);
  const steps = decades < 1.5 ? [1, 2, 3, 5] : decades < 3 ? [1, 3] : [1];
  const stride = Math.max(1, Math.ceil(decades / 6));
  const ticks = [];
  for (let e = first; e <= last; ++e)
    for (const step of steps) {
      const value = Number(`${step}e${e}`);
      if (value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9) && e % stride === 0) ticks.push(value);
    }
  return ticks;
};

const linearTicks = (low, high) => {
  const rough = (high - low) / 5, unit = 10 ** Math.floor(Math.log10(rough));
  const step = unit * [1, 2, 5, 10].find((factor) => factor * unit >= rough);
  const ticks = [];
  for (let value = Math.ceil(low / step) * step; value <= high + 1e-9 * step; value += step) ticks.push(Number(value.toPrecision(12)));
  return ticks;
};

const escapeText = (text) => String(text).replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);

// What of the numbers fits a range: powers of ten, or a round number above the largest.
const rangeOf = (values, log) => {
  const finite = values.filter((value) => Number.isFinite(value) && (!log || value > 0));
  if (finite.length === 0) return log ? [0.1, 1] : [0, 1];
  const most = Math.max(...finite), least = Math.min(...finite);
  if (!log) return [Math.min(0, least), most > 0 ? most * 1.08 : 1];
  const high = 10 ** (Math.ceil(2 * Math.log10(most) + 0.1) / 2);
  return [Math.max(10 ** (Math.floor(2 * Math.log10(least) - 0.1) / 2), high * 1e-9), high];
};

// One chart in a figure: {title, x: {label, log}, y: {label, log}, marker: "what a drag moves", onMove(value, last)}.
class Chart {
  constructor(host, options) {
    this.options = options;
    this.figure = document.createElement("figure");
    this.figure.className = "chart";
    this.figure.innerHTML = `
      <div class="head"><h2>${escapeText(options.title)}</h2><span class="export">
        <button type="button" data-export="svg" aria-label="Save ${escapeText(options.title)} as SVG">SVG</button>
        <button type="button" data-export="png" aria-label="Save ${escapeText(options.title)} as PNG">PNG</button></span></div>
      <div class="legend" aria-hidden="true"></div>
      <svg role="img" aria-label="${escapeText(options.title)}"></svg>
      <p class="caption"></p>
      <details><summary>The numbers of this chart</summary><div class="scroll" tabindex="0" role="region" aria-label="Numbers of ${escapeText(options.title)}"></div></details>`;
    host.append(this.figure);
    this.svg = this.figure.querySelector("svg");
    this.details = this.figure.querySelector("details");
    this.details.addEventListener("toggle", () => this.fillTable());
    for (const button of this.figure.querySelectorAll("[data-export]"))
      button.addEventListener("click", () => this.save(button.dataset.export));
    this.width = 0;
    new ResizeObserver(() => {
      if (this.svg.clientWidth === this.width) return;
      this.width = this.svg.clientWidth;
      if (this.data) this.draw(this.data);
    }).observe(this.figure);
    if (options.onMove) this.listen();
  }

  listen() {
    this.svg.classList.add("draggable");
    let dragging = false;
    const move = (event, last) => {
      const { x } = this;
      if (!x) return;
      const value = x.back(event.clientX - this.svg.getBoundingClientRect().left);
      this.options.onMove(Math.min(Math.max(value, x.low), x.high), last);
    };
    this.svg.addEventListener("pointerdown", (event) => {
      dragging = true;
      this.svg.setPointerCapture(event.pointerId);
      move(event, false);
    });
    this.svg.addEventListener("pointermove", (event) => dragging && move(event, false));
    const end = (event) => {
      if (dragging) move(event, true);
      dragging = false;
    };
    this.svg.addEventListener("pointerup", end);
    this.svg.addEventListener("pointercancel", () => (dragging = false));
  }

  // data: {x: [low, high], y: [low, high] or absent, series: [{name, points: [[x, y]], color, dash, faded, fill, errors}],
  // lines: [{x, label}], stems: [{x, y, color, label}], marker, dots: [{x: the marker's unless given, y, color}], caption, columns: [names], rows: [[…]]}
  draw(data) {
    this.data = data;
    this.width ||= this.svg.clientWidth;
    if (this.width < 60 || this.figure.hidden) return;
    const { options } = this;
    const height = 250, left = 52, right = 12, top = 10, bottom = 38;
    const shown = data.series.filter((series) => series.points.length > 0);
    const values = shown.flatMap((series) => series.points.map((point) => point[1])).concat((data.stems ?? []).map((stem) => stem.y));
    const [yLow, yHigh] = data.y ?? rangeOf(values, options.y.log);
    const xRange = data.x ?? rangeOf(shown.flatMap((series) => series.points.map((point) => point[0])), options.x.log);
    const x = (this.x = makeScale(xRange[0], xRange[1], left, this.width - right, options.x.log));
    const y = makeScale(yLow, yHigh, height - bottom, top, options.y.log);
    const parts = [];
    for (const tick of options.x.log ? logTicks(x.low, x.high) : linearTicks(x.low, x.high)) {
      const at = x.at(tick).toFixed(1);
      parts.push(`<path class="grid" d="M${at} ${top}V${height - bottom}"/><text class="tick" x="${at}" y="${height - bottom + 15}" text-anchor="middle">${formatTick(tick)}</text>`);
    }
    for (const tick of options.y.log ? logTicks(y.low, y.high) : linearTicks(y.low, y.high)) {
      const at = y.at(tick).toFixed(1);
      parts.push(`<path class="grid" d="M${left} ${at}H${this.width - right}"/><text class="tick" x="${left - 6}" y="${(Number(at) + 4).toFixed(1)}" text-anchor="end">${formatTick(tick)}</text>`);
    }
    parts.push(`<path class="axis" d="M${left} ${top}V${height - bottom}H${this.width - right}"/>`);
    parts.push(`<text class="label" x="${(left + this.width - right) / 2}" y="${height - 5}" text-anchor="middle">${escapeText(options.x.label)}</text>`);
    let labels = 0;
    for (const line of data.lines ?? []) {
      if (!(line.x > x.low && line.x < x.high)) continue;
      const at = x.at(line.x), end = at > this.width - 120;
      parts.push(`<path class="threshold" d="M${at.toFixed(1)} ${top}V${height - bottom}"/><text class="note" x="${(at + (end ? -4 : 4)).toFixed(1)}" y="${top + 11 + 14 * labels++}" text-anchor="${end ? "end" : "start"}">${escapeText(line.label)}</text>`);
    }
    const clip = (value) => Math.min(Math.max(value, -1e4), 1e4).toFixed(1);
    for (const series of shown) {
      let path = "", pen = "M";
      for (const [px, py] of series.points) {
        if (!Number.isFinite(py) || (options.y.log && !(py > 0))) {
          pen = "M";
          continue;
        }
        path += `${pen}${clip(x.at(px))} ${clip(options.y.log && py < y.low ? y.at(y.low) + 20 : y.at(py))}`;
        pen = "L";
      }
      const style = `stroke:var(${chartColors[series.color]});stroke-dasharray:${series.dash ?? chartDashes[series.color]}`;
      if (series.fill) parts.push(`<path class="area" style="fill:var(${chartColors[series.color]})" d="${path}L${clip(x.at(series.points.at(-1)[0]))} ${height - bottom}L${clip(x.at(series.points[0][0]))} ${height - bottom}Z"/>`);
      parts.push(`<path class="line${series.faded ? " faded" : ""}" style="${style}" d="${path}"/>`);
    }
    for (const stem of data.stems ?? []) {
      const at = x.at(stem.x).toFixed(1), to = clip(y.at(stem.y));
      parts.push(`<path class="stem" style="stroke:var(${chartColors[stem.color]})" d="M${at} ${height - bottom}V${to}"/>`);
      if (stem.dot) parts.push(`<path class="dot" style="fill:var(${chartColors[stem.color]})" d="M${at} ${to}m-4.5 0l4.5 -5.5l4.5 5.5l-4.5 5.5z"/>`);
      if (stem.label) parts.push(`<text class="note" x="${Number(at) + 6}" y="${Number(to) + 10}">${escapeText(stem.label)}</text>`);
    }
    if (data.marker !== undefined && data.marker >= x.low && data.marker <= x.high) {
      const at = x.at(data.marker).toFixed(1);
      parts.push(`<path class="marker" d="M${at} ${top}V${height - bottom}"/><circle class="handle" cx="${at}" cy="${height - bottom}" r="7"/>`);
      for (const dot of data.dots ?? []) {
        const py = options.y.log && !(dot.y > 0) ? NaN : y.at(dot.y);
        if (py >= top - 1 && py <= height - bottom + 1) parts.push(`<circle class="dot" style="fill:var(${chartColors[dot.color]})" cx="${dot.x === undefined ? at : clip(x.at(dot.x))}" cy="${py.toFixed(1)}" r="4"/>`);
      }
    }
    const clipping = `<defs><clipPath id="clip-${options.id}"><rect x="${left}" y="${top - 8}" width="${Math.max(0, this.width - right - left)}" height="${height - top - bottom + 16}"/></clipPath></defs>`;
    this.svg.setAttribute("viewBox", `0 0 ${this.width} ${height}`);
    this.svg.setAttribute("height", height);
    this.svg.innerHTML = clipping + parts.join("").replace(/<path class="(line|area)/g, `<path clip-path="url(#clip-${options.id})" class="$1`);
    this.legend(shown);
    const caption = this.figure.querySelector(".caption");
    if (caption.textContent !== (data.caption ?? "")) caption.textContent = data.caption ?? "";
  }

  legend(shown) {
    const named = shown.filter((series) => series.name);
    const key = named.map((series) => series.name + series.color + (series.faded ?? "")).join("|");
    if (key === this.legendKey) return;
    this.legendKey = key;
    this.figure.querySelector(".legend").innerHTML = named
      .map((series) => `<span><svg width="26" height="8"><path class="line${series.faded ? " faded" : ""}" style="stroke:var(${chartColors[series.color]});stroke-dasharray:${series.dash ?? chartDashes[series.color]}" d="M0 4H26"/></svg>${escapeText(series.name)}</span>`)
      .join("");
  }

  // What changes at rest: the table, and what a screen reader says of the picture.
  settle(description) {
    this.svg.setAttribute("aria-label", description);
    this.fillTable();
  }

  fillTable() {
    if (!this.details.open || !this.data?.columns) return;
    const { columns, rows } = this.data;
    this.figure.querySelector(".scroll").innerHTML =
      `<table><thead><tr>${columns.map((name) => `<th scope="col">${escapeText(name)}</th>`).join("")}</tr></thead><tbody>` +
      rows.map((row) => `<tr>${row.map((value) => `<td>${typeof value === "number" ? formatNumber(value, 6) : escapeText(value ?? "–")}</td>`).join("")}</tr>`).join("") +
      "</tbody></table>";
  }

  // The picture with the colours that it has now.
  source() {
    const copy = this.svg.cloneNode(true);
    const from = this.svg.querySelectorAll("*"), to = copy.querySelectorAll("*");
    from.forEach((element, i) => {
      const style = getComputedStyle(element);
      for (const name of ["fill", "stroke", "stroke-width", "stroke-dasharray", "opacity", "font-size", "font-family"]) to[i].style.setProperty(name, style.getPropertyValue(name));
    });
    copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
    copy.setAttribute("width", this.width);
    copy.style.background = getComputedStyle(document.documentElement).getPropertyValue("--paper");
    return new XMLSerializer().serializeToString(copy);
  }

  save(format) {
    const name = `attnlaw-${this.options.id}.${format}`;
    const svg = new Blob([this.source()], { type: "image/svg+xml" });
    if (format === "svg") return saveFile(name, svg);
    const image = new Image();
    image.onload = () => {
      const canvas = document.createElement("canvas");
      [canvas.width, canvas.height] = [2 * image.width, 2 * image.height];
      const context = canvas.getContext("2d");
      context.fillStyle = getComputedStyle(document.documentElement).getPropertyValue("--paper");
      context.fillRect(0, 0, canvas.width, canvas.height);
      context.drawImage(image, 0, 0, canvas.width, canvas.height);
      URL.revokeObjectURL(image.src);
      canvas.toBlob((blob) => saveFile(name, blob));
    };
    image.src = URL.createObjectURL(svg);
  }
}

const saveFile = (name, blob) => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
};
