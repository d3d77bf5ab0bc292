// In-context regression: a law with controls, charts and figures of its own. All of it is closed form: everything is asked for again
// whenever something moves, and what is shown is always from scratch.

const kLawPoints = 61;
const lawAxes = {
  tasks: { title: "Errors against training tasks", ends: [0.05, 100] },
  sequences: { title: "Errors against training sequences", ends: [0.05, 50] },
};
const lawErrors = [["new_tasks", "new tasks"], ["training_tasks", "training tasks"], ["train", "training error"]];
const lawBaselines = [["ridge", "Bayes ridge, new tasks"], ["memory_training", "who memorises, training tasks"]];
const lawPresets = [
  {"name": "From memory to regression", "text": "With few training tasks the layer answers from what it has seen of them: its error on new tasks is large. From about as many tasks as dimensions on it regresses: both errors meet, near those of Bayes' ridge. Move the tasks.",
   "problem": {"context": 10, "tasks": 0.5, "sequences": 5, "noise": 0.1, "lambda": 0.01}},
  {"name": "Double descent in sequences", "text": "Hardly a penalty: the error peaks where there are as many sequences as entries of the trained matrix, n = d². More penalty removes the peak.",
   "problem": {"context": 2, "tasks": 2, "sequences": 0.8, "noise": 0.1, "lambda": 0.0001}},
  {"name": "Best penalty", "text": "The penalty of least error on new tasks, found at every point of the curves: no peak is left.",
   "problem": {"context": 5, "tasks": 1, "sequences": 2, "noise": 0.1, "lambda": "optimal"}}
];

class InContext extends View {
  constructor(engine, schema, say) {
    super();
    Object.assign(this, { engine, say, presets: lawPresets, element: document.getElementById("icl-law"), updates: 0, generation: 0, inputs: 0 });
    const fields = Object.fromEntries(schema.fields.map((field) => [field.name, field]));
    const form = document.getElementById("icl-controls");
    form.addEventListener("submit", (event) => event.preventDefault());
    const set = document.createElement("fieldset");
    set.innerHTML = "<legend>Sequences of regression tasks</legend>";
    form.append(set);
    this.numbers = {};
    const number = (name) => {
      this.numbers[name] = new NumberControl(`icl-${name}`, { label: labelOf(fields[name]), help: helpOf(fields[name]) }, (value, last) => this.move({ ...this.problem, [name]: value }, last));
      set.append(this.numbers[name].element);
    };
    for (const name of ["context", "tasks", "sequences", "noise"]) number(name);
    const rules = [["value", "a number"], ["0+", "0+, no penalty"], ["optimal", "optimal, new tasks"], ["optimal-training", "optimal, training tasks"]];
    this.rule = new ChoiceControl("icl-lambda-rule", { label: "choice of λ", help: helpOf(fields.lambda) }, rules, (value) => this.move({ ...this.problem, lambda: value === "value" ? (this.prediction?.model.lambda || 0.01) : value }, true));
    set.append(this.rule.element);
    number("lambda");
    const host = document.getElementById("icl-charts");
    this.charts = Object.fromEntries(Object.entries(lawAxes).map(([name, { title }]) => {
      const { symbol, unit } = fields[name];
      return [name, new Chart(host, { id: `icl-${name}`, title, x: { label: `${symbol} = ${unit}`, log: true }, y: { log: true }, onMove: (value, last) => this.move({ ...this.problem, [name]: rounded(value) }, last) })];
    }));
    this.spectrum = new Chart(host, { id: "icl-spectrum", title: "Singular values of the trained matrix", x: { label: "singular value" }, y: {} });
  }

  // Takes a problem, if it is one. Returns what is wrong with it, if anything is.
  async set(problem, message = "") {
    const input = ++this.inputs;
    const { answer } = await askTwice(this.engine, { ask: "in_context", problem }, { group: "check", urgency: 0 });
    if (!answer || answer.error) return answer?.error ?? "the problem could not be checked";
    if (input !== this.inputs) return "";
    // What an address leaves out is that of the library, and stands in all that leaves the page.
    const { context, tasks, sequences, noise } = answer.model;
    problem = { context, tasks, sequences, noise, lambda: "0+", ...problem };
    await this.move(problem, true);
    if (message) this.say(message);
    return "";
  }

  async move(problem, last = false) {
    this.problem = problem;
    ++this.generation;
    ++this.inputs;
    this.say("");
    this.onRefused?.("");
    this.showControls();
    this.allowExports(false);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.rest(), last ? 0 : kRest);
    this.wanted = problem;
    this.following ??= this.follow();
    await this.following;
  }

  // Answers the newest problem until there is no newer one.
  async follow() {
    while (this.wanted) {
      const problem = this.wanted, generation = this.generation;
      this.wanted = null;
      const ask = (question, urgency) => this.engine.ask({ ask: "in_context", problem, ...question }, { group: "law", urgency });
      const curves = Object.entries(lawAxes).map(([along, { ends }]) => ask({ along, values: geometric(...ends, kLawPoints) }, 1));
      const [point, ...lines] = (await Promise.all([ask({}, 0), ...curves])).map(({ answer }) => answer);
      const why = [point, ...lines].map((answer) => (answer ? answer.error : "no answer came in time")).find(Boolean);
      if (why) {
        if (generation === this.generation) this.lose(why);
        continue;
      }
      this.prediction = point;
      this.asked = problem;
      this.curves = Object.fromEntries(Object.keys(lawAxes).map((name, i) => [name, lines[i].points]));
      ++this.updates;
      this.drawSoon();
    }
    this.following = null;
  }

  // Figures of another problem are not shown as those of this one.
  lose(why) {
    this.prediction = this.curves = null;
    this.say(why);
    this.onRefused?.(why);
    this.drawSoon();
  }

  async rest() {
    const generation = this.generation;
    await this.following;
    if (generation !== this.generation || !this.prediction || this.element.hidden) return;
    this.draw();
    this.onRest?.();
    document.getElementById("icl-summary").textContent = this.summary();
    for (const [name, chart] of Object.entries(this.charts)) chart.settle(`${lawAxes[name].title}, ${kLawPoints} points. ${this.summary()}`);
    this.spectrum.settle(`Density of the singular values of the trained matrix. ${this.spectrum.data.caption}`);
    this.allowExports(true);
  }

  allowExports(ready) {
    if (this.element.hidden) return;
    document.documentElement.dataset.settled = ready;
    for (const button of document.querySelectorAll("[data-save]")) button.disabled = !ready;
  }

  showControls() {
    const { lambda } = this.problem;
    for (const [name, control] of Object.entries(this.numbers)) if (typeof this.problem[name] === "number") control.show(this.problem[name]);
    this.rule.show(typeof lambda === "number" ? "value" : lambda);
    this.numbers.lambda.refuse(typeof lambda === "number" ? "" : `λ is ${lambda}`);
  }

  draw() {
    if (this.element.hidden || !this.problem) return;
    for (const name of Object.keys(lawAxes)) this.drawCurves(name);
    this.drawSpectrum();
    this.drawReadout();
    document.documentElement.dataset.ready ??= Math.round(performance.now());
  }

  drawCurves(name) {
    const points = this.curves?.[name] ?? none, { ends } = lawAxes[name];
    const series = [
      ...lawErrors.map(([key, label], color) => ({ name: label, points: points.map((point) => [point.value, point[key]]), color })),
      ...lawBaselines.map(([key, label], i) => ({ name: label, points: points.map((point) => [point.value, point.baselines[key]]), color: 3 + i, faded: true })),
    ];
    this.charts[name].draw({
      x: ends,
      series: points.length ? series : none,
      lines: name === "sequences" ? [{ x: 1, label: "n = d²" }] : [{ x: 1, label: "as many tasks as dimensions" }],
      marker: this.problem[name],
      dots: this.prediction ? lawErrors.map(([key], color) => ({ x: this.asked[name], y: this.prediction[key], color })) : none,
      columns: [name, ...lawErrors.map(([, label]) => label), "λ"],
      rows: () => points.map((point) => [point.value, ...lawErrors.map(([key]) => point[key]), point.lambda]),
    });
  }

  drawSpectrum() {
    const { density } = this.prediction ?? {};
    if (!density) return this.spectrum.draw({ ...nothing, caption: this.prediction ? "No density: the noise of the trained matrix is infinite (n = d² without a penalty), or too small to be seen." : "" });
    const curve = density.x.map((x, i) => [x, density.density[i]]), gap = this.prediction.gap_number;
    this.spectrum.draw({
      ...spectrumRanges([0, ...density.x], heightOf(curve)),
      series: [{ name: "trained matrix", points: curve, color: 0, dash: "", fill: true }],
      caption: gap === null ? "" : gap < 1 ? "There is a gap at 0: no direction is left out." : "No gap at 0.",
      columns: ["singular value", "density"],
      rows: () => curve,
    });
  }

  drawReadout() {
    const host = document.getElementById("icl-figures"), point = this.prediction;
    if (!point) return showFigures(host, none);
    showFigures(host, [
      ...lawErrors.map(([key, label], color) => [label, point[key] === null ? "∞" : formatNumber(point[key]), color]),
      ["Bayes ridge", formatNumber(point.baselines.ridge)],
      ["phase", point.phase],
      ["λ found", typeof this.asked.lambda === "number" ? null : formatNumber(point.model.lambda)],
      ["effective ridge ξ", formatNumber(point.effective_ridge, 3)],
      ["tr G/d", formatNumber(point.trace, 3)],
    ]);
  }

  summary() {
    const { prediction: point, asked } = this;
    const shown = (value) => (value === null ? "infinite" : formatNumber(value));
    return `At ${formatNumber(asked.tasks, 3)} d tasks and ${formatNumber(asked.sequences, 3)} d² sequences: error on new tasks ${shown(point.new_tasks)}, on training tasks ${shown(point.training_tasks)}; the layer ${point.phase === "neither" ? "does neither regress nor memorise" : point.phase}.`;
  }

  texts() {
    return { hash: this.hash, command: this.command, python: `import attnlaw\n\nresult = attnlaw.icl(${keywordsOf(Object.entries(this.problem))})\n` };
  }

  get command() {
    return `attnlaw icl ${optionsOf(Object.entries(this.problem))}`;
  }

  get hash() {
    return toHash({ law: "icl", ...this.problem });
  }

  file(format) {
    if (format === "json") return { command: this.command, prediction: this.prediction, curves: this.curves };
    const keys = lawErrors.map(([key]) => key), baselines = lawBaselines.map(([key]) => key);
    const rows = Object.entries(this.curves).flatMap(([name, points]) => points.map((point) => [...["context", "tasks", "sequences", "noise"].map((option) => (option === name ? point.value : this.asked[option])), point.lambda, ...keys.map((key) => point[key] ?? ""), ...baselines.map((key) => point.baselines[key])]));
    return [["context", "tasks", "sequences", "noise", "lambda", ...keys, ...baselines], ...rows];
  }
}
