// The problem as documents have it, as a line of text, and as controls that the schema of the library makes.

// Name and value of every option that is given, those of every problem first.
const entriesOf = (problem) => {
  const place = ([name]) => (name === "alpha" ? 0 : name === "lambda" ? 1 : 2);
  return Object.entries(problem).sort((a, b) => place(a) - place(b) || (a[0] < b[0] ? -1 : 1));
};

// The hash of the page: options as documents name them. Numbers and words need no marks to be told apart.
const toHash = (problem) => new URLSearchParams(entriesOf(problem).map(([name, value]) => [name, String(value)])).toString();
const isNumber = (text) => /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text);
const fromHash = (hash) => {
  const problem = {};
  for (const [name, text] of new URLSearchParams(hash.replace(/^#/, ""))) problem[name] = isNumber(text) ? Number(text) : text;
  return problem;
};

const quoted = (text) => (/^[\w.,:+@%/-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
// Names with values as the options of a command, and as the arguments of a function.
const optionsOf = (entries) => entries.map(([name, value]) => `--${name.replaceAll("_", "-")} ${quoted(String(value))}`).join(" ");
const keywordsOf = (entries) => entries.map(([name, value]) => `${name === "lambda" ? "lambda_" : name}=${JSON.stringify(value)}`).join(", ");
const toCommand = (problem, accuracy) => `attnlaw solve ${optionsOf(entriesOf(problem))} --accuracy ${accuracy}`;
const toPython = (problem, accuracy) => `import attnlaw\n\nproblem = attnlaw.Problem(${keywordsOf(entriesOf(problem))})\nresult = attnlaw.solve(problem, accuracy=${accuracy})\n`;

// How far a slider goes where the range of an option is open, and how it divides its way.
const sliderRanges = {
  alpha: [0.01, 100, "log"],
  lambda: [1e-5, 10, "log"],
  beta: [0.1, 10, "log"],
  target_beta: [0.1, 10, "log"],
  noise: [0, 4, "square"],
  width: [0.01, 2, "log"],
  kappa: [0.01, 2, "log"],
  gamma: [0.55, 3, "linear"],
  "icl-context": [0.05, 1000, "log"],
  "icl-tasks": [0.05, 100, "log"],
  "icl-sequences": [0.05, 50, "log"],
  "icl-noise": [0, 4, "square"],
  "icl-lambda": [1e-5, 10, "log"],
};
const sliderSteps = 1000;
const scales = {
  log: { to: (v, a, b) => Math.log(v / a) / Math.log(b / a), from: (t, a, b) => a * (b / a) ** t },
  square: { to: (v, a, b) => Math.sqrt((v - a) / (b - a)), from: (t, a, b) => a + (b - a) * t * t },
  linear: { to: (v, a, b) => (v - a) / (b - a), from: (t, a, b) => a + (b - a) * t },
};
const rounded = (value) => Number(value.toPrecision(3));

// What is as it should be costs nothing: most controls stay while one moves.
const change = (element, name, value) => {
  if (element[name] !== value) element[name] = value;
};

// The place of a text that screen readers read behind the name of a control; what `title` says is not read by all.
const reasonHost = (element, inputs, name) => {
  const host = document.createElement("span");
  host.className = "unseen";
  host.id = `${name}-why`;
  element.append(host);
  return (text) => {
    if (host.textContent === text) return;
    host.textContent = text;
    for (const input of inputs) text ? input.setAttribute("aria-describedby", host.id) : input.removeAttribute("aria-describedby");
  };
};

// A slider with a number field beside it, both of one label. onInput(value, last).
class NumberControl {
  constructor(name, { label, help }, onInput) {
    [this.low, this.high, this.kind] = sliderRanges[name];
    this.element = document.createElement("div");
    this.element.className = "control number";
    this.element.title = help;
    this.element.innerHTML = `<label for="${name}-number">${escapeText(label)}</label><input type="number" id="${name}-number" step="any"><input type="range" id="${name}" min="0" max="${sliderSteps}" step="1" aria-label="${escapeText(label)}">`;
    [this.number, this.range] = this.element.querySelectorAll("input");
    this.explain = reasonHost(this.element, [this.number, this.range], name);
    const take = (value, last) => {
      if (!Number.isFinite(value)) return;
      this.show(value);
      onInput(value, last);
    };
    this.range.addEventListener("input", () => take(this.value(), false));
    this.number.addEventListener("change", () => take(this.number.valueAsNumber, true));
  }
  value() {
    return rounded(scales[this.kind].from(this.range.valueAsNumber / sliderSteps, this.low, this.high));
  }
  show(value) {
    change(this.number, "valueAsNumber", value);
    const share = scales[this.kind].to(Math.min(Math.max(value, this.low), this.high), this.low, this.high);
    change(this.range, "value", String(Math.round(sliderSteps * share)));
    const text = formatNumber(value, 3);
    if (this.range.getAttribute("aria-valuetext") !== text) this.range.setAttribute("aria-valuetext", text);
  }
  // With a reason it cannot be moved.
  refuse(reason) {
    this.range.disabled = this.number.disabled = Boolean(reason);
    if (this.help === undefined) this.help = this.element.title;
    this.element.title = reason || this.help;
    this.explain(reason || "");
    this.element.classList.toggle("refused", Boolean(reason));
  }
}

// A menu whose choices may be refused, each with its reason.
class ChoiceControl {
  constructor(name, { label, help }, choices, onChoose) {
    this.element = document.createElement("div");
    this.element.className = "control choice";
    this.element.title = help;
    this.element.innerHTML = `<label for="${name}">${escapeText(label)}</label><select id="${name}">${choices.map(([value, text]) => `<option value="${escapeText(value)}">${escapeText(text)}</option>`).join("")}</select>`;
    this.select = this.element.querySelector("select");
    this.explain = reasonHost(this.element, [this.select], name);
    this.select.addEventListener("change", () => onChoose(this.select.value));
  }
  show(value) {
    change(this.select, "value", String(value));
  }
  refuse(reasons) {
    for (const option of this.select.options) {
      const reason = reasons[option.value];
      option.disabled = Boolean(reason);
      option.title = reason ?? "";
    }
    this.explain([...this.select.options].filter((option) => option.disabled).map((option) => `Not ${option.textContent}: ${option.title}.`).join(" "));
  }
}

const helpOf = (field) => [field.doc, field.accepts].filter(Boolean).join("; ");
const labelOf = (field) => field.name.replaceAll("_", " ") + (field.symbol ? ` ${field.symbol}` : "") + (field.unit ? ` = ${field.unit}` : "");

const targetFamilies = { wishart: "Wishart, rank κ*", product: "product, rank κ*", powerlaw: "power law i^−γ", spikes: "spikes", file: "eigenvalues of a file" };

// All controls of a problem, from the schema. handlers: number(name, value, last), choose(name, value), target(spec, last).
class Controls {
  constructor(form, schema, handlers) {
    this.fields = Object.fromEntries(schema.fields.map((field) => [field.name, field]));
    this.numbers = {};
    this.choices = {};
    this.handlers = handlers;
    form.addEventListener("submit", (event) => event.preventDefault());
    const group = (title) => {
      const set = document.createElement("fieldset");
      set.innerHTML = `<legend>${title}</legend>`;
      form.append(set);
      return set;
    };
    const number = (set, name) => {
      const field = this.fields[name];
      this.numbers[name] = new NumberControl(name, { label: labelOf(field), help: helpOf(field) }, (value, last) => handlers.number(name, value, last));
      set.append(this.numbers[name].element);
    };
    const choice = (set, name, choices) => {
      const field = this.fields[name];
      const label = name === "lambda" ? "choice of λ" : labelOf(field);
      this.choices[name] = new ChoiceControl(name === "lambda" ? "lambda-rule" : name, { label, help: helpOf(field) }, choices, (value) => handlers.choose(name, value));
      set.append(this.choices[name].element);
    };
    const numeric = schema.fields.filter((field) => field.type === "number").map((field) => field.name);
    const data = group("Data and penalty");
    number(data, "alpha");
    choice(data, "lambda", [["value", "a number"], ["0+", "0+, no penalty"], ["optimal", "optimal, least test error"], ["edge", "edge of the noise"]]);
    number(data, "lambda");
    for (const name of numeric) if (name !== "alpha" && this.fields[name].symbol === "Δ") number(data, name);
    this.makeTarget(group("Target S*"));
    const model = group("Layer and student");
    for (const field of schema.fields) {
      if (field.name === "tokens") this.makeText(model, "tokens");
      else if (field.name === "penalty") this.makeText(model, "penalty", "own");
      else if (field.type === "choice") choice(model, field.name, field.choices.map((word) => [word, word]));
      else if (numeric.includes(field.name) && !this.numbers[field.name]) number(model, field.name);
    }
  }

  makeText(set, name, empty = "") {
    const field = this.fields[name];
    const element = document.createElement("div");
    element.className = "control choice";
    element.title = helpOf(field);
    element.innerHTML = `<label for="${name}">${escapeText(labelOf(field))}</label><input type="text" id="${name}" placeholder="${empty}">`;
    const input = element.querySelector("input");
    input.addEventListener("change", () => {
      const text = input.value.trim();
      this.handlers.choose(name, text === empty ? "" : isNumber(text) ? Number(text) : text);
    });
    set.append(element);
    this.texts = { ...this.texts, [name]: input };
  }

  makeTarget(set) {
    const field = this.fields.target;
    this.family = new ChoiceControl("target", { label: "law", help: helpOf(field) }, Object.entries(targetFamilies), (family) => this.handlers.target(this.specs[family], true));
    set.append(this.family.element);
    this.kappa = new NumberControl("kappa", { label: "rank κ*", help: "rank of the target over its dimension" }, (value, last) => this.handlers.target(`${this.family.select.value}:${value}`, last));
    this.gamma = new NumberControl("gamma", { label: "decay γ", help: "eigenvalues fall like i^−γ" }, (value, last) => this.handlers.target(`powerlaw:${value},${this.rest}`, last));
    set.append(this.kappa.element, this.gamma.element);
    const element = document.createElement("div");
    element.className = "control choice";
    element.title = helpOf(field);
    element.innerHTML = `<label for="target-text">as text</label><input type="text" id="target-text" spellcheck="false">`;
    this.targetText = element.querySelector("input");
    this.targetText.addEventListener("change", () => this.handlers.target(this.targetText.value.trim(), true));
    set.append(element);
    this.specs = {};
  }

  // Shows a problem: the full document, with what else could be chosen.
  show(full, { choices, refused } = {}) {
    for (const [name, control] of Object.entries(this.numbers)) if (typeof full[name] === "number") control.show(full[name]);
    for (const [name, control] of Object.entries(this.choices)) control.show(name === "lambda" ? (typeof full.lambda === "number" ? "value" : (full.lambda ?? "value")) : full[name]);
    for (const [name, input] of Object.entries(this.texts)) change(input, "value", String(full[name] ?? ""));
    const [family, text] = [full.target.slice(0, full.target.indexOf(":")), full.target.slice(full.target.indexOf(":") + 1)];
    this.family.show(family);
    const law = family === "wishart" || family === "product";
    change(this.kappa.element, "hidden", !law);
    change(this.gamma.element, "hidden", family !== "powerlaw");
    if (law) this.kappa.show(Number(text));
    if (family === "powerlaw") {
      this.gamma.show(Number(text.split(",")[0]));
      this.rest = text.split(",").slice(1).join(",");
    }
    change(this.targetText, "value", full.target);
    if (!choices) return;
    const reasons = (name) => Object.fromEntries(Object.entries(choices[name] ?? {}).filter(([, tried]) => tried.refused).map(([value, tried]) => [value, tried.refused]));
    for (const [name, control] of Object.entries(this.choices)) control.refuse(reasons(name));
    for (const [name, control] of Object.entries(this.numbers)) control.refuse(refused[name]);
    if (typeof full.lambda !== "number") this.numbers.lambda.refuse((full.lambda ?? null) === null ? "the student has no penalty" : `λ is ${full.lambda}`);
    const families = reasons("target");
    this.specs = Object.fromEntries(Object.keys(choices.target).map((spec) => [spec.slice(0, spec.indexOf(":")), spec]));
    this.family.refuse({ file: "a page has no files: attnlaw solve --target file:PATH", ...Object.fromEntries(Object.entries(families).map(([spec, reason]) => [spec.slice(0, spec.indexOf(":")), reason])) });
  }
}
