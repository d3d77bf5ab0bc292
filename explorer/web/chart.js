// Charts as SVG: drawn anew from plain data several times in a frame's time, exported as they stand.

const chartColors = ["--c1", "--c2", "--c3", "--c4", "--c5", "--c6"];
const chartDashes = ["", "7 4", "2 3", "9 3 2 3", "4 2", "1 2"];
const colorOf = (i) => `var(${chartColors[i]})`;
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

const ticksOf = ({ low, high, log }) => (log ? logTicks : linearTicks)(low, high);

// Places in a picture, to a tenth of a pixel; those of points far away stay near it.
const pixel = (value) => Math.round(10 * value) / 10;
const clip = (value) => pixel(Math.min(Math.max(value, -1e4), 1e4));
const chartHeight = 250, margin = { left: 52, right: 12, top: 10, bottom: 38 };

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

// A range around another one, with ends that are multiples of some tenth to twentieth of its length: while something moves, its
// axis stays most of the time.
const steadyRange = (low, high) => {
  if (!(high > low)) return [low, low + 1];
  const tenth = (high - low) / 10, unit = 10 ** Math.floor(Math.log10(tenth)), step = unit * ([5, 2].find((factor) => factor * unit <= tenth) ?? 1);
  const multiple = (value) => Number((value * step).toPrecision(12));
  return [multiple(Math.floor(low / step)), multiple(Math.ceil(high / step))];
};

// A function that gives what it made the last time as long as nothing changes of what it is given: all that its result depends on.
const remembered = (make) => {
  let made, of = [NaN];
  return (...parts) => {
    if (parts.length !== of.length || parts.some((part, i) => part !== of[i])) [of, made] = [parts, make(...parts)];
    return made;
  };
};

const svgElement = (tag, parent) => parent.appendChild(document.createElementNS("http://www.w3.org/2000/svg", tag));

// A group of elements, each given as [tag, attributes, text]. An element of the same tag and class, which has attributes of the
// same names, is kept and gets what has changed.
class Layer {
  constructor(svg) {
    this.group = svgElement("g", svg);
    this.shown = [];
  }
  write(elements) {
    for (const [i, [tag, attributes, text = ""]] of elements.entries()) {
      let old = this.shown[i];
      if (old?.tag !== tag || old.attributes.class !== attributes.class) {
        const element = svgElement(tag, this.group);
        if (old) old.element.replaceWith(element);
        old = this.shown[i] = { tag, element, attributes: {}, text: "" };
      }
      for (const name in attributes) if (old.attributes[name] !== attributes[name]) old.element.setAttribute(name, attributes[name]);
      if (old.text !== text) old.element.textContent = text;
      Object.assign(old, { attributes, text });
    }
    for (const { element } of this.shown.splice(elements.length)) element.remove();
  }
}

// One chart in a figure: {title, x: {label, log}, y: {label, log}, marker: "what a drag moves", onMove(value, last)}.
class Chart {
  constructor(host, options) {
    this.options = options;
    this.figure = document.createElement("figure");
    this.figure.className = "chart";
    this.figure.innerHTML = `
      <div class="head"><h2>${escapeText(options.title)}</h2><span class="export">
        ${[["svg", "SVG"], ["png", "PNG"], ["vega", "Vega-Lite"]].map(([format, name]) => `<button type="button" data-export="${format}" aria-label="Save ${escapeText(options.title)} as ${name}">${name}</button>`).join("")}</span></div>
      <div class="legend" aria-hidden="true"></div>
      <svg role="img" aria-label="${escapeText(options.title)}"></svg>
      <p class="caption"></p>
      <details><summary>The numbers of this chart</summary><div class="scroll" tabindex="0" role="region" aria-label="Numbers of ${escapeText(options.title)}"></div></details>`;
    host.append(this.figure);
    this.svg = this.figure.querySelector(".chart > svg");
    [this.frame, this.notes, this.lines, this.marks] = Array.from({ length: 4 }, () => new Layer(this.svg));
    const clipping = svgElement("clipPath", this.svg);
    clipping.id = `clip-${options.id}`;
    this.clip = svgElement("rect", clipping);
    this.lines.group.setAttribute("clip-path", `url(#${clipping.id})`);
    [this.captionElement, this.legendElement] = [".caption", ".legend"].map((name) => this.figure.querySelector(name));
    this.frameOf = remembered((...parts) => this.makeFrame(...parts));
    this.linesOf = remembered((...parts) => this.makeLines(...parts));
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

  // data: {x: [low, high], y: [low, high] or absent, series: [{name, points: [[x, y]], color, dash, faded, fill}], lines: [{x, label}],
  // stems: [{x, y, color, label}], marker, dots: [{x: the marker's unless given, y, color}], caption, columns: [names],
  // rows: () => [[…]]}. The same list of series is taken for the same curves.
  draw(data) {
    this.data = data;
    this.width ||= this.svg.clientWidth;
    if (this.width < 60 || this.figure.hidden) return;
    const { options } = this;
    const shown = data.series.filter((series) => series.points.length > 0);
    const [yLow, yHigh] = data.y ?? rangeOf(shown.flatMap((series) => series.points.map((point) => point[1])), options.y.log);
    const [xLow, xHigh] = data.x ?? rangeOf(shown.flatMap((series) => series.points.map((point) => point[0])), options.x.log);
    this.x = makeScale(xLow, xHigh, margin.left, this.width - margin.right, options.x.log);
    this.y = makeScale(yLow, yHigh, chartHeight - margin.bottom, margin.top, options.y.log);
    this.frame.write(this.frameOf(this.width, xLow, xHigh, yLow, yHigh, options.x.label));
    this.notes.write((data.lines ?? []).filter((line) => line.x > xLow && line.x < xHigh).flatMap((line, i) => this.note(line, i)));
    this.lines.write(this.linesOf(data.series, this.width, xLow, xHigh, yLow, yHigh));
    this.marks.write([...(data.stems ?? []).flatMap((stem) => this.stem(stem)), ...this.marker(data)]);
    this.legend(shown);
    if (this.captionElement.textContent !== (data.caption ?? "")) this.captionElement.textContent = data.caption ?? "";
  }

  // Axes with their ticks.
  makeFrame(width) {
    const { options, x, y } = this, { left, right, top } = margin, bottom = chartHeight - margin.bottom;
    this.svg.setAttribute("viewBox", `0 0 ${width} ${chartHeight}`);
    this.svg.setAttribute("height", chartHeight);
    for (const [name, value] of Object.entries({ x: left, y: top - 8, width: Math.max(0, width - right - left), height: bottom - top + 16 })) this.clip.setAttribute(name, value);
    const anchored = (class_, place, anchor, text) => ["text", { class: class_, ...place, "text-anchor": anchor }, text];
    return [
      ...ticksOf(x).flatMap((tick) => {
        const at = pixel(x.at(tick));
        return [["path", { class: "grid", d: `M${at} ${top}V${bottom}` }], anchored("tick", { x: at, y: bottom + 15 }, "middle", formatTick(tick))];
      }),
      ...ticksOf(y).flatMap((tick) => {
        const at = pixel(y.at(tick));
        return [["path", { class: "grid", d: `M${left} ${at}H${width - right}` }], anchored("tick", { x: left - 6, y: at + 4 }, "end", formatTick(tick))];
      }),
      ["path", { class: "axis", d: `M${left} ${top}V${bottom}H${width - right}` }],
      anchored("label", { x: (left + width - right) / 2, y: chartHeight - 5 }, "middle", options.x.label),
    ];
  }

  note({ x, label }, i) {
    const at = pixel(this.x.at(x)), end = at > this.width - 120;
    return [
      ["path", { class: "threshold", d: `M${at} ${margin.top}V${chartHeight - margin.bottom}` }],
      ["text", { class: "note", x: at + (end ? -4 : 4), y: margin.top + 11 + 14 * i, "text-anchor": end ? "end" : "start" }, label],
    ];
  }

  makeLines(series) {
    const { x, y } = this, log = this.options.y.log, below = clip(y.at(y.low) + 20), bottom = chartHeight - margin.bottom;
    return series.filter(({ points }) => points.length > 0).flatMap(({ points, color, dash, faded, fill }) => {
      let path = "", pen = "M";
      for (const [px, py] of points) {
        if (!Number.isFinite(py) || (log && !(py > 0))) {
          pen = "M";
          continue;
        }
        path += `${pen}${clip(x.at(px))} ${log && py < y.low ? below : clip(y.at(py))}`;
        pen = "L";
      }
      const line = ["path", { class: faded ? "line faded" : "line", style: `stroke:${colorOf(color)};stroke-dasharray:${dash ?? chartDashes[color]}`, d: path }];
      if (!fill) return [line];
      return [["path", { class: "area", style: `fill:${colorOf(color)}`, d: `${path}L${clip(x.at(points.at(-1)[0]))} ${bottom}L${clip(x.at(points[0][0]))} ${bottom}Z` }], line];
    });
  }

  stem({ x, y, color, dot, label }) {
    const at = pixel(this.x.at(x)), to = clip(this.y.at(y)), of = colorOf(color);
    const elements = [["path", { class: "stem", style: `stroke:${of}`, d: `M${at} ${chartHeight - margin.bottom}V${to}` }]];
    if (dot) elements.push(["path", { class: "dot", style: `fill:${of}`, d: `M${at} ${to}m-4.5 0l4.5 -5.5l4.5 5.5l-4.5 5.5z` }]);
    if (label) elements.push(["text", { class: "note", x: at + 6, y: to + 10 }, label]);
    return elements;
  }

  marker({ marker, dots = [] }) {
    const { x, y } = this, bottom = chartHeight - margin.bottom;
    if (!(marker >= x.low && marker <= x.high)) return [];
    const at = pixel(x.at(marker));
    const elements = [["path", { class: "marker", d: `M${at} ${margin.top}V${bottom}` }], ["circle", { class: "handle", cx: at, cy: bottom, r: 7 }]];
    for (const dot of dots) {
      const py = y.log && !(dot.y > 0) ? NaN : y.at(dot.y);
      if (py >= margin.top - 1 && py <= bottom + 1) elements.push(["circle", { class: "dot", style: `fill:${colorOf(dot.color)}`, cx: dot.x === undefined ? at : clip(x.at(dot.x)), cy: pixel(py), r: 4 }]);
    }
    return elements;
  }

  legend(shown) {
    const named = shown.filter((series) => series.name);
    const key = named.map((series) => series.name + series.color + (series.faded ?? "")).join("|");
    if (key === this.legendKey) return;
    this.legendKey = key;
    this.legendElement.innerHTML = named
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
    const { columns } = this.data, rows = this.data.rows();
    this.figure.querySelector(".scroll").innerHTML =
      `<table><thead><tr>${columns.map((name) => `<th scope="col">${escapeText(name)}</th>`).join("")}</tr></thead><tbody>` +
      rows.map((row) => `<tr>${row.map((value) => `<td>${typeof value === "number" ? formatNumber(value, 6) : escapeText(value ?? "–")}</td>`).join("")}</tr>`).join("") +
      "</tbody></table>";
  }

  // The picture with the colours that it has now, below its title and its legend, which is laid out as on the page.
  source() {
    const styled = (element) => {
      const copy = element.cloneNode(true), to = [copy, ...copy.querySelectorAll("*")];
      [element, ...element.querySelectorAll("*")].forEach((one, i) => {
        const style = getComputedStyle(one);
        for (const name of ["fill", "stroke", "stroke-width", "stroke-dasharray", "opacity", "font-size", "font-family"]) to[i].style.setProperty(name, style.getPropertyValue(name));
      });
      return copy;
    };
    const style = getComputedStyle(document.documentElement), { legendElement: legend } = this, head = 24 + legend.offsetHeight;
    const picture = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const text = (words, x, y, size, color) => {
      const element = svgElement("text", picture);
      element.textContent = words;
      for (const [name, value] of Object.entries({ x, y, "font-size": size, "font-family": "system-ui, sans-serif", fill: style.getPropertyValue(color) })) element.setAttribute(name, value);
      return element;
    };
    text(this.options.title, 4, 17, 15, "--ink").setAttribute("font-weight", 600);
    const corner = legend.getBoundingClientRect();
    for (const entry of legend.children) {
      const key = entry.firstChild, place = key.getBoundingClientRect(), group = svgElement("g", picture), [x, y] = [place.x - corner.x, place.y - corner.y + 24];
      group.setAttribute("transform", `translate(${pixel(x)} ${pixel(y)})`);
      group.append(styled(key.firstChild));
      text(entry.textContent, pixel(x + place.width + 5), pixel(y + place.height / 2 + 4), 12, "--quiet");
    }
    const chart = styled(this.svg);
    for (const [name, value] of Object.entries({ y: head, width: this.width, height: chartHeight })) chart.setAttribute(name, value);
    picture.append(chart);
    const size = { width: this.width, height: head + chartHeight };
    for (const [name, value] of Object.entries({ ...size, viewBox: `0 0 ${size.width} ${size.height}` })) picture.setAttribute(name, value);
    picture.style.background = style.getPropertyValue("--paper");
    return new XMLSerializer().serializeToString(picture);
  }

  // The picture as a specification of Vega-Lite that carries its numbers.
  vegaLite() {
    const { data, options, x, y } = this, style = getComputedStyle(document.documentElement);
    const hexOf = (i) => style.getPropertyValue(chartColors[i]).trim();
    const axis = (field, scale, title) => ({ field, type: "quantitative", title, scale: { type: scale.log ? "log" : "linear", domain: [scale.low, scale.high], nice: false } });
    const places = { x: axis("x", x, options.x.label), y: axis("y", y, null) };
    const layer = (values, mark, encoding) => ({ data: { values }, mark, encoding });
    const seen = (list) => list.filter((value) => Number.isFinite(value.y) && (!y.log || value.y > 0));
    const curves = data.series.filter(({ points }) => points.length > 0);
    const names = [...new Set(curves.map(({ name }) => name).filter(Boolean))];
    const legend = { domain: names, range: names.map((name) => hexOf(curves.find((curve) => curve.name === name).color)) };
    const { marker, dots = [], stems = [], lines = [] } = data;
    const vertical = [...lines.map((line) => ({ ...line, marker: false })), ...(marker === undefined ? [] : [{ x: marker, label: "", marker: true }])].filter((line) => line.x >= x.low && line.x <= x.high);
    const layers = [
      ...curves.map(({ name, points, color, dash, faded, fill }) =>
        layer(seen(points.map((point) => ({ x: point[0], y: point[1] }))), { type: fill ? "area" : "line", line: Boolean(fill), fillOpacity: 0.13, clip: true, opacity: faded ? 0.75 : 1, strokeWidth: faded ? 1.2 : 2, strokeDash: (dash ?? chartDashes[color]).split(" ").filter(Boolean).map(Number) },
          { ...places, color: name ? { datum: name, scale: legend, title: null } : { value: hexOf(color) } })),
      layer(vertical, "rule", { x: places.x, strokeDash: { condition: { test: "datum.marker", value: [] }, value: [2, 3] } }),
      layer(vertical, { type: "text", align: "left", dx: 4, y: 8 }, { x: places.x, text: { field: "label" } }),
      ...stems.map((stem) => layer([{ x: stem.x, y: stem.y }], stem.dot ? { type: "point", shape: "diamond", filled: true } : { type: "rule", size: 3 }, { ...places, ...(stem.dot ? {} : { y2: { datum: 0 } }), color: { value: hexOf(stem.color) } })),
      layer(seen(dots.map((dot) => ({ x: dot.x ?? marker, y: dot.y, color: hexOf(dot.color) }))), { type: "point", filled: true, size: 60 }, { ...places, color: { field: "color", type: "nominal", scale: null } }),
    ];
    return { $schema: "https://vega.github.io/schema/vega-lite/v5.json", title: options.title, description: this.svg.getAttribute("aria-label"), width: 560, height: 300, layer: layers };
  }

  save(format) {
    if (format === "vega") return saveFile(`attnlaw-${this.options.id}.vl.json`, new Blob([JSON.stringify(this.vegaLite(), null, 1)], { type: "application/json" }));
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
