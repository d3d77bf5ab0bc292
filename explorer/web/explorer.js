// The law of a trained attention layer: keeps a problem, asks for what its views show, and draws what comes back.

const kCoarse = 1e-2;  // accuracy while something moves
const kFine = 1e-3;  // and at rest: that of the copied command
const kRest = 150;  // milliseconds without input
const kCurvePoints = 24;
const kPathPoints = 20;
const kScalingPoints = 17;
const kFew = 8;  // points that make no curve yet
const kTogether = 8;  // points of closed form in one message
const kWarm = 32;  // points that are solved for no other end
const kPace = 160;  // milliseconds from one pass along a curve to the next, while something moves
const kAlphas = [0.02, 50];  // ends of the curves
const kLambdas = [1e-4, 10];
const kPatience = 10000;  // for what is asked once, at rest: the best penalty, a scaling curve

const errorNames = [["test", "test error"], ["train", "training error"], ["estimation", "estimation error E"]];
const geometric = (low, high, count) => Array.from({ length: count }, (_, i) => Number((low * (high / low) ** (i / (count - 1))).toPrecision(6)));
// Every third first, each time from the middle outwards.
const outwards = (count, middle) => {
  const near = (a, b) => Math.abs(a - middle) - Math.abs(b - middle);
  const all = Array.from({ length: count }, (_, i) => i);
  return [all.filter((i) => i % 3 === 1).sort(near), all.filter((i) => i % 3 !== 1).sort(near)];
};
// What must agree for one solution to be a start for another.
const kindOf = (problem) =>
  JSON.stringify(entriesOf(problem).filter(([, value]) => typeof value !== "number").map(([name, value]) => [name, name === "target" ? value.replace(/:[\d.e+-]+/, "") : value]).concat([["tokens", problem.tokens]]));
// The same text for the same problem.
const keyOf = (problem) => JSON.stringify(entriesOf(problem));
// γ and the number of modes of a target that is a power law.
const powerLawOf = (target) => {
  const [, gamma, size] = /^powerlaw:([\d.e+-]+),(\d+)/.exec(target) ?? [];
  return gamma === undefined ? null : { gamma: Number(gamma), size: Number(size) };
};
const startOf = (answer, converged = answer?.converged) => (answer?.start && answer.start.q > 0 && converged ? answer.start : null);
const without = (problem, ...names) => Object.fromEntries(Object.entries(problem).filter(([name]) => !names.includes(name)));

const coarsely = (problem) => ({ ask: "solve", problem, accuracy: kCoarse, spectrum: true });
// A worker that was lost answers nothing; another one is asked once more.
const askTwice = async (engine, question, options) => {
  const outcome = await engine.ask(question, options);
  return outcome.lost ? engine.ask(question, options) : outcome;
};

// All that the page must know of a problem before it shows it, at once: the point does not wait for the check, which may be known.
const askAbout = (engine, problem, known) => ({
  check: known ? { answer: known } : askTwice(engine, { ask: "check", problem }, { group: "check", urgency: 0 }),
  point: engine.ask(coarsely(problem), { group: "point", urgency: 0 }),
});

// A family of points along one option that is solved again and again as the problem moves: a pass takes the problem as
// it is, and one that is overtaken ends after its first round. `onEnd` is called when all is known from scratch.
class Line {
  constructor(explorer, { name, values, group, urgency, onEnd }) {
    Object.assign(this, { explorer, name, values, group, urgency, onEnd });
    this.generation = 0;
    this.answers = values.map(() => null);
    // Of each answer: whether it is of the problem of the pass, and whether its solver knew no neighbour.
    this.fresh = values.map(() => false);
    this.cold = values.map(() => false);
    this.kind = "";
    this.version = 0;  // of what points() has
    this.busy = false;
    this.complete = false;
  }

  // Follows a problem that moves, with starts nearby.
  follow(problem) {
    this.wanted = { problem, cold: false };
    if (!this.isOf(problem)) this.complete = false;
    if (!this.busy) this.paced();
  }

  // The next pass, as soon as the last one has begun long enough ago: the point has the processors for itself meanwhile.
  paced() {
    this.busy = true;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.pass(), this.begun === undefined ? 0 : Math.max(0, this.begun + kPace - performance.now()));
  }

  // From scratch, at rest.
  refine(problem) {
    ++this.generation;
    clearTimeout(this.timer);
    this.explorer.engine.drop(this.group);
    this.wanted = { problem, cold: true };
    this.pass();
  }

  async pass() {
    const generation = ++this.generation;
    const { problem, cold } = this.wanted;
    this.wanted = null;
    this.busy = true;
    this.begun = performance.now();
    this.complete = false;
    const kind = kindOf(without(problem, this.name)), key = keyOf(without(problem, this.name));
    const old = this.kind === kind ? this.answers : this.values.map(() => null);
    if (key !== this.key) this.fresh = this.values.map(() => false);
    Object.assign(this, { key, kind, problem: without(problem, this.name), version: this.version + 1 });
    const current = () => generation === this.generation;
    const question = (list) => ({ ask: "solve", problem, along: this.name, values: list.map((i) => this.values[i]), accuracy: kCoarse, starts: cold ? [] : list.map((i) => startOf(old[i])) });
    const solve = async (list) => {
      const outcome = await this.explorer.engine.ask(question(list), { group: this.group, urgency: this.urgency });
      if (!current() || outcome.dropped) return;
      for (const [k, i] of list.entries()) {
        const point = outcome.answer?.points?.[k];
        this.answers[i] = point?.errors ? point : { late: true };
        this.fresh[i] = true;
        this.cold[i] = cold;
      }
      ++this.version;
      this.explorer.drawSoon();
    };
    const known = (i) => this.fresh[i] && (!cold || (this.cold[i] && !this.answers[i].late));
    const at = this.values.findIndex((value) => value >= (problem[this.name] ?? 0));
    for (const round of outwards(this.values.length, at)) {
      const unknown = round.filter((i) => !known(i)), together = this.explorer.closedForm ? kTogether : 1;
      await Promise.all(unknown.flatMap((_, k) => (k % together ? [] : [solve(unknown.slice(k, k + together))])));
      if (!current()) return;
      if (this.wanted && !this.explorer.closedForm) break;
    }
    this.busy = false;
    if (this.wanted) return this.paced();
    this.complete = cold;
    if (cold) this.onEnd();
  }

  isOf(problem) {
    return this.key === keyOf(without(problem, this.name));
  }

  // As [value, answer]: the points of the problem of the last pass, or what is left of those before.
  points(fresh) {
    return this.values.flatMap((value, i) => (this.fresh[i] === fresh && this.answers[i]?.errors?.test !== undefined && this.answers[i].converged ? [[value, this.answers[i]]] : []));
  }

  // The curve of a problem as far as it is known, and what stands in its place meanwhile, which is drawn pale. `live`: the
  // line is so close behind the problem that it counts as its own.
  shown(problem, live) {
    const fresh = this.points(true), stale = fresh.length < kFew ? this.points(false) : [];
    if (live || this.isOf(problem)) return { own: fresh, pale: stale };
    return { own: [], pale: stale.length > fresh.length ? stale : fresh };
  }
}

const none = [];
const nothing = { series: none, columns: none, rows: () => none };
// How high a density is drawn: where it diverges at an end it does not set the scale.
const heightOf = (curve, mass) => {
  const heights = curve.map(([, y]) => y).filter(Number.isFinite).sort((a, b) => a - b);
  return 1.1 * Math.max(heights.length ? 1.2 * heights[Math.floor(0.97 * (heights.length - 1))] : 0, mass ?? 0, 0.2);
};
const spectrumRanges = (ends, high) => {
  const [least, most] = [Math.min(...ends), Math.max(...ends)], span = most - least;
  return { x: steadyRange(least - 0.02 * span, most + 0.02 * span), y: [0, steadyRange(0, high)[1]] };
};
const massAtZero = ({ spectrum: { zero_mass: mass } }) => ({ x: 0, y: mass ?? 0, color: 0, label: mass > 0.005 ? `mass ${formatNumber(mass, 3)} at 0` : "" });

// Figures, each [name, text, mark] with the number of a color or "bad" as its mark, and what is said of them. Those without a text
// are left out; elements stay as long as the names do.
const showFigures = (host, all, message = "", isBad = false) => {
  const figures = all.filter(([, value]) => value !== null), bad = (mark) => (mark === "bad" ? " bad" : "");
  const names = figures.map(([name, , mark]) => name + bad(mark)).join();
  if (names !== host.dataset.names) {
    host.dataset.names = names;
    host.innerHTML = figures.map(([name, , mark]) => `<div class="figure${bad(mark)}"><span>${escapeText(name)}</span><b${typeof mark === "number" ? ` style="color:var(${chartColors[mark]})"` : ""}></b></div>`).join("") + (figures.length ? `<p class="message"></p>` : "");
  }
  for (const [i, value] of host.querySelectorAll("b").entries()) change(value, "textContent", figures[i][1]);
  const said = host.querySelector("p");
  if (!said) return;
  change(said, "textContent", message);
  change(said, "hidden", !message);
  said.classList.toggle("bad", isBad);
};

// What is drawn at the next frame, once, however often it is asked for.
class View {
  drawSoon() {
    if (this.drawing) return;
    this.drawing = true;
    requestAnimationFrame(() => {
      this.drawing = false;
      this.draw();
    });
  }
}

class Explorer extends View {
  constructor(engine, schema, presets, say) {
    super();
    Object.assign(this, { presets, element: document.getElementById("attention-law") });
    this.say = (text, isHard = false) => {
      this.hard = isHard;
      say(text);
    };
    this.engine = engine;
    this.pins = [];
    this.updates = 0;
    this.generation = 0;  // of the problem
    this.inputs = 0;  // of what was asked for, also where it was no problem
    this.closedKinds = new Map();
    this.controls = new Controls(document.getElementById("controls"), schema, {
      number: (name, value, last) => this.move({ ...this.problem, ...Object.fromEntries([name, ...(this.alternatives.together[name] ?? [])].map((each) => [each, value])) }, last),
      choose: (name, value) => this.choose(name, value),
      target: (spec, last) => this.move({ ...this.problem, target: spec }, last),
    });
    const host = document.getElementById("charts");
    const chart = (id, title, x, y, onMove) => new Chart(host, { id, title, x, y, onMove });
    this.charts = {
      errors: chart("errors", "Errors against data", { label: "α = n/d²", log: true }, { log: true }, (value, last) => this.move({ ...this.problem, alpha: rounded(value) }, last)),
      spectrum: chart("spectrum", "Spectrum of the trained map S", { label: "eigenvalue" }, {}),
      weights: chart("weights", "Singular values of W/√d", { label: "singular value" }, {}),
      penalty: chart("penalty", "Test error against the penalty", { label: "λ", log: true }, { log: true }, (value, last) => this.controls.choices.lambda.select.value === "value" && this.move({ ...this.problem, lambda: rounded(value) }, last)),
      scaling: chart("scaling", "Scaling law of the target", { label: "sequences n", log: true }, { log: true }),
    };
    this.alphas = new Line(this, { name: "alpha", values: geometric(...kAlphas, kCurvePoints), group: "alpha", urgency: 2, onEnd: () => this.settleErrors() });
    // At rest, of closed forms: what lies between, so that a peak has its height.
    const between = this.alphas.values.slice(1).map((alpha, i) => Number(Math.sqrt(alpha * this.alphas.values[i]).toPrecision(6)));
    this.between = new Line(this, { name: "alpha", values: between, group: "between", urgency: 3, onEnd: () => this.settleErrors() });
    this.lambdas = new Line(this, { name: "lambda", values: geometric(...kLambdas, kPathPoints), group: "lambda", urgency: 3, onEnd: () => this.settlePenalty() });
    // What a chart shows is made anew when something changes that it depends on: its arguments, and what their versions are of.
    this.errorSeries = remembered((live, pinNames) => this.makeErrorSeries(live, pinNames));
    this.penaltyCurves = remembered((live) => this.makePenaltyCurves(live));
    this.spectrumOf = remembered((point) => this.makeSpectrum(point));
    this.weightsOf = remembered((point) => this.makeWeights(point));
    this.scalingCurve = remembered((points, own) => [{ name: "estimation error E", points: points.map((point) => [point.n, point.errors?.estimation ?? point.estimation]), color: 2, faded: !own }]);
    this.exports = document.querySelectorAll("[data-save], #pin");
    this.listen();
  }

  listen() {
    document.getElementById("pin").addEventListener("click", () => this.pin());
    document.getElementById("unpin").addEventListener("click", () => {
      this.pins = [];
      document.getElementById("unpin").hidden = true;
      this.draw();
    });
  }

  ask(question, options) {
    return this.engine.ask(question, options);
  }

  // Takes another problem as a whole, if it is one, and nothing else was asked for meanwhile. `message` stays until the next
  // input. Returns what is wrong with it, if anything is.
  async set(problem, message = "", asked = askAbout(this.engine, problem)) {
    const input = ++this.inputs;
    const { answer } = await asked.check;
    if (input !== this.inputs) return "";
    if (!answer || answer.error) {
      const why = answer?.error ?? "the problem could not be checked";
      this.say(why);
      if (this.full) this.controls.show(this.full, this.alternatives);
      return why;
    }
    this.take(answer);
    this.move(this.problem, true, asked.point);
    this.say(message);
    return "";
  }

  take(answer) {
    this.problem = answer.problem;
    this.full = answer.full;
    this.alternatives = answer;
    this.controls.show(this.full, answer);
  }

  choose(name, value) {
    const tried = this.alternatives.choices[name]?.[value];
    if (tried?.refused) {
      this.say(tried.refused);
      return this.controls.show(this.full, this.alternatives);
    }
    if (tried) return this.set({ ...tried.problem, ...this.movedNumbers(tried.problem) });
    this.set(value === "" ? without(this.problem, name) : { ...this.problem, [name]: value });
  }

  // The numbers as they are now, of those that a document has: alternatives are those of the last rest.
  movedNumbers(problem) {
    return Object.fromEntries(Object.entries(this.problem).filter(([name, value]) => typeof value === "number" && typeof problem[name] === "number"));
  }

  // The problem has moved: the newest request of every kind is the one that counts.
  // `point`: where it is asked for already, what becomes of it.
  move(problem, last = false, point = null) {
    this.problem = problem;
    ++this.generation;
    ++this.inputs;
    this.moving = true;
    this.resting = false;
    this.say("");
    this.onRefused?.("");
    this.full = { ...this.full, ...problem };
    this.controls.show(this.full);
    this.allowExports();
    this.followPoint(point);
    this.followLines(last);
    this.drawSoon();
  }

  // All beside the point follows the problem, from the first picture on.
  followLines(last) {
    if (!this.isReady) return;
    this.followThresholds();
    this.alphas.follow(this.problem);
    if (this.closedForm && this.penalised) this.lambdas.follow(this.problem);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.rest(), last ? 0 : kRest);
  }

  // Whether a point takes hardly any time: known of the last answer to a problem of this kind.
  get closedForm() {
    return this.problem.lambda !== "optimal" && (this.closedKinds.get(kindOf(this.problem)) ?? this.full.head === "linear");
  }

  get penalised() {
    return this.full.student !== "bayes" && !this.full.penalty;
  }

  async followPoint(outcome) {
    this.wanted = { problem: this.problem, outcome };
    if (this.following) return;
    this.following = true;
    while (this.wanted) {
      const { problem, outcome } = this.wanted;
      this.wanted = null;
      const near = this.point && kindOf(this.point.asked) === kindOf(problem) ? (startOf(this.point, this.point.diagnostics.converged) ?? undefined) : undefined;
      await this.solvePoint({ ...coarsely(problem), start: near }, "point", outcome);
    }
    this.following = false;
  }

  // Asks for the point that the page shows, unless that was done. `group`: "point" while something moves, "rest" from scratch.
  // Returns whether there is one now.
  async solvePoint(question, group, asked) {
    const generation = this.generation, cold = group === "rest";
    const outcome = await (asked ?? this.ask(question, { group, urgency: 0 }));
    if (outcome.dropped || (cold && generation !== this.generation)) return false;
    // Another worker may have been faster with what is asked at rest.
    if (!cold && (!this.moving || (this.point?.cold && this.point.generation >= generation))) return false;
    const answer = outcome.answer;
    if (!answer || answer.error) {
      // Those before it are of another problem.
      if (generation === this.generation) this.withoutPoint(outcome, question);
      return false;
    }
    if (this.hard) this.say("");
    this.point = { ...answer, asked: question.problem, accuracy: question.accuracy, cold, fine: cold && question.accuracy === kFine, generation };
    this.closedKinds.set(kindOf(question.problem), answer.diagnostics.points === 0 && !answer.diagnostics.sampled_prior);
    ++this.updates;
    this.drawSoon();
    return true;
  }

  // No figures of the problem are known: none are shown, and the page says why.
  withoutPoint(outcome, { problem, accuracy }) {
    this.point = null;
    const command = `Run this command: ${toCommand(problem, kFine)}`;
    if (outcome.answer?.error) this.say(outcome.answer.error);
    else if (outcome.lost) this.say(`The computation ended here: ${outcome.lost}. ${command}`, true);
    else this.say(`A hard point: no answer to ${100 * accuracy} % within ${Queue.limit / 1000} s here. ${command}`, true);
    this.markReady();
    this.drawSoon();
  }

  async followThresholds() {
    const key = keyOf(without(this.problem, "alpha", "lambda"));
    if (key === this.thresholdKey) return;
    this.thresholdKey = key;
    this.engine.drop("thresholds");
    const { answer } = await this.ask({ ask: "thresholds", problem: this.problem }, { group: "thresholds", urgency: 1 });
    if (key !== this.thresholdKey) return;
    this.thresholds = answer && !answer.error ? answer : null;
    // What came too late is asked for again.
    if (!answer) this.thresholdKey = "";
    this.drawSoon();
  }

  // Nothing moves: everything again from scratch, so that no history chooses a branch.
  async rest() {
    const problem = this.problem, generation = this.generation;
    const current = () => generation === this.generation;
    for (const group of ["rest", "best", "scaling"]) this.engine.drop(group);
    this.resting = true;
    this.drawSoon();
    // What was set as a whole has been checked.
    const { answer } = keyOf(this.alternatives.problem) === keyOf(problem) ? { answer: this.alternatives } : await askTwice(this.engine, { ask: "check", problem }, { group: "check", urgency: 0 });
    if (!current()) return;
    if (answer?.error) {
      this.withoutPoint({ answer }, { problem });
      this.onRefused?.(answer.error);
      this.summarise();
      return;
    }
    if (answer) this.take(answer);
    this.onRest?.();
    this.followThresholds();
    const question = { ask: "solve", problem: this.problem, accuracy: kFine, spectrum: true };
    const found = await this.solvePoint(question, "rest");
    if (!current()) return;
    // What is too hard to a thousandth may be known to a hundredth, from no start either.
    if (!found && (await this.solvePoint({ ...question, accuracy: kCoarse }, "rest")) && current())
      this.say(`A hard point: shown to ${100 * kCoarse} %. To ${100 * kFine} %: ${toCommand(this.problem, kFine)}`, true);
    if (!current()) return;
    this.moving = false;
    this.drawSoon();
    this.alphas.refine(this.problem);
    if (this.closedForm) this.between.refine(this.problem);
    if (this.penalised) this.lambdas.refine(this.problem);
    this.findBest(current);
    this.findScaling(current);
    this.summarise();
    this.allowExports();
  }

  bestKeyOf(problem) {
    return keyOf(without(problem, "lambda"));
  }
  scalingKeyOf(problem) {
    return keyOf(without(problem, "alpha"));
  }

  async findBest(current) {
    const key = this.bestKeyOf(this.problem);
    if (key === this.bestKey || !this.penalised) return;
    this.best = null;
    this.bestKey = "";
    const { answer } = await this.ask({ ask: "solve", problem: { ...this.problem, lambda: "optimal" }, accuracy: kCoarse }, { group: "best", urgency: 4, limit: kPatience });
    if (!current()) return;
    this.best = answer?.optimal_lambda ?? null;
    this.bestKey = this.best ? key : "";
    this.settlePenalty();
  }

  async findScaling(current) {
    const law = powerLawOf(this.full.target);
    this.charts.scaling.figure.hidden = !law;
    const key = this.scalingKeyOf(this.problem);
    if (!law || key === this.scalingKey) return;
    this.scaling = null;
    this.scalingKey = this.scalingNote = "";
    const n = geometric(...kAlphas.map((alpha) => alpha * law.size ** 2), kScalingPoints).map(Math.round);
    const { answer } = await this.ask({ ask: "scaling", problem: this.problem, n, accuracy: kCoarse }, { group: "scaling", urgency: 4, limit: kPatience });
    if (!current()) return;
    this.scaling = answer && !answer.error ? answer : null;
    this.scalingNote = answer ? (answer.error ?? "") : `No answer within ${kPatience / 1000} s here.`;
    // What came too late is asked for again at the next rest.
    this.scalingKey = answer ? key : "";
    this.draw();
    this.charts.scaling.settle(`Estimation error against n. ${this.charts.scaling.data?.caption ?? ""}`);
  }

  draw() {
    if (!this.problem || !(this.isReady || this.point)) return;
    this.drawErrors();
    // While the problem moves the others take turns: painting all of them takes longer than a frame lasts.
    this.turn = !this.turn;
    if (!this.moving || this.turn) this.drawSpectrum();
    if (!this.moving || !this.turn) {
      this.drawPenalty();
      this.drawScaling();
    }
    this.drawReadout();
    if (this.point) this.markReady();
  }

  // The point from scratch, of what does not move any longer.
  get settledPoint() {
    return this.point?.cold && this.point.generation === this.generation ? this.point : null;
  }

  // Whether the figures are those of the problem itself, not of the one that it was a moment ago.
  get pointIsCurrent() {
    return Boolean(this.point) && keyOf(this.point.asked) === keyOf(this.problem);
  }

  // The first picture is there, or what stands in its place. The document has the milliseconds from its begin to that.
  markReady() {
    if (this.isReady) return;
    this.isReady = true;
    document.documentElement.dataset.ready ??= Math.round(performance.now());
    this.followLines(true);
  }

  // Of closed forms a whole pass takes a few frames: the line moves with the problem.
  get live() {
    return Boolean(this.moving && this.closedForm);
  }

  // The learning curve as far as it is that of the problem, by ascending α.
  curve() {
    return this.curveParts(false).own;
  }

  curveParts(live) {
    const { own, pale } = this.alphas.shown(this.problem, live);
    const between = own.length && this.between.key === this.alphas.key ? this.between.points(true) : [];
    return { own: [...own, ...between].sort((a, b) => a[0] - b[0]), pale };
  }

  thresholdLines() {
    const lines = [];
    for (const [name, label] of [["bayes_recovery", "Bayes recovery"], ["recovery", "recovery"], ["interpolation", "interpolation"]])
      if (this.thresholds?.[name]) lines.push({ x: this.thresholds[name].alpha, label });
    return lines;
  }

  // What of a pinned problem is otherwise than now.
  pinName({ full }) {
    const shown = (value) => (typeof value === "number" ? formatNumber(value, 3) : (value ?? "none"));
    const differing = Object.keys({ ...full, ...this.full }).filter((name) => name !== "alpha" && full[name] !== this.full[name]);
    return `pinned: ${differing.map((name) => `${this.controls.fields[name]?.symbol ?? name} = ${shown(full[name])}`).join(", ") || "test error, as now"}`;
  }

  makeErrorSeries(live, pinNames) {
    const series = this.pins.map((pin, k) => ({ name: pinNames[k], points: pin.points, color: 3, dash: chartDashes[(k % 5) + 1] }));
    const { own, pale } = this.curveParts(live);
    for (const [color, [name, label]] of errorNames.entries()) {
      const points = (list) => list.map(([alpha, answer]) => [alpha, answer.errors[name]]);
      if (pale.length > 1) series.push({ name: "", points: points(pale), color, faded: true });
      series.push({ name: label, points: points(own), color });
    }
    return series;
  }

  drawErrors() {
    const { alphas, between } = this, names = this.pins.map((pin) => this.pinName(pin));
    // The same list as long as it says the same: curves are remembered by it.
    this.pinNames = names.join("\n") === this.pinNames?.join("\n") ? this.pinNames : names;
    this.charts.errors.draw({
      x: kAlphas,
      series: this.errorSeries(this.live, this.pinNames, alphas.version, between.version, alphas.isOf(this.problem)),
      lines: this.thresholdLines(),
      marker: this.problem.alpha,
      dots: this.point ? errorNames.map(([name], color) => ({ x: this.point.asked.alpha, y: this.point.errors[name], color })) : [],
      caption: this.caption(),
      columns: ["α", ...errorNames.map(([, label]) => label), "replicon R", ...names.map((name) => `test error, ${name}`)],
      rows: () => this.curve().map(([alpha, { errors, replicon }]) => [alpha, ...errorNames.map(([name]) => errors[name]), replicon, ...this.pinnedAt(alpha)]),
    });
  }

  caption() {
    const reasons = this.thresholds?.reasons ?? {};
    const words = Object.entries(reasons).map(([name, reason]) => `No ${name.replace("_", " ").replace("bayes", "Bayes")}: ${reason}.`);
    return words.join(" ");
  }

  drawSpectrum() {
    const { point, charts } = this;
    const { label, ...data } = point ? this.spectrumOf(point) : { ...nothing, caption: this.moving ? "" : "Not known at this problem." };
    if (label) charts.spectrum.options.x.label = label;
    charts.spectrum.draw(data);
    charts.weights.figure.hidden = !point?.weights;
    if (point?.weights) charts.weights.draw(this.weightsOf(point));
  }

  makeSpectrum(point) {
    const curve = ({ s, density }) => s.map((place, i) => [place, density[i]]);
    const trained = point.density ? curve(point.density) : [], target = point.target ? curve(point.target) : [];
    const outliers = point.spectrum.outliers ?? [], atoms = point.target?.atoms ?? [];
    const ends = [0, ...(point.spectrum.edges ?? []).flat(), ...outliers.map((o) => o.eigenvalue), ...target.map(([s]) => s), ...atoms.map(([s]) => s)];
    const high = heightOf(trained, point.spectrum.zero_mass), label = point.problem.attention === "cross" ? "singular value" : "eigenvalue";
    return {
      ...spectrumRanges(ends, high),
      label,
      series: [
        { name: "target S*", points: target, color: 4, faded: true, dash: "4 3" },
        { name: "trained S", points: trained, color: 0, dash: "", fill: true },
      ],
      stems: [
        ...atoms.filter(([s]) => s !== 0).slice(0, 60).map(([x]) => ({ x, y: 0.05 * high, color: 4 })),
        massAtZero(point),
        ...outliers.map(({ eigenvalue }) => ({ x: eigenvalue, y: 0.12 * high, color: 1, dot: true })),
      ],
      caption: this.spectrumCaption(point, label),
      columns: [label, "density"],
      rows: () => trained,
    };
  }

  spectrumCaption({ spectrum, density }, label) {
    const parts = [], outliers = spectrum.outliers ?? [];
    if (outliers.length) parts.push(`${outliers.length} isolated ${label}${outliers.length > 1 ? "s" : ""} (diamonds), the largest ${formatNumber(outliers.at(-1).eigenvalue, 3)} with squared overlap ${formatNumber(outliers.at(-1).overlap, 3)}.`);
    if (!density) parts.push("No law of this student's spectrum is drawn.");
    return parts.join(" ");
  }

  makeWeights(point) {
    const { s, density, outliers } = point.weights;
    const trained = s.map((place, i) => [place, density[i]]), high = heightOf(trained, point.spectrum.zero_mass);
    return {
      ...spectrumRanges([0, ...s, ...outliers], high),
      series: [{ name: "trained W", points: trained, color: 2, dash: "", fill: true }],
      stems: [massAtZero(point), ...outliers.map((x) => ({ x, y: 0.12 * high, color: 1, dot: true }))],
      caption: outliers.length ? "Diamonds: isolated singular values." : "",
      columns: ["singular value", "density"],
      rows: () => trained,
    };
  }

  makePenaltyCurves(live) {
    const { own, pale } = this.lambdas.shown(this.problem, live);
    const points = (list) => list.map(([lambda, answer]) => [lambda, answer.errors.test]);
    return {
      own,
      series: [
        { name: "", points: points(pale), color: 0, faded: true },
        { name: "test error", points: points(own), color: 0 },
      ],
    };
  }

  drawPenalty() {
    const { charts, problem } = this;
    charts.penalty.figure.hidden = !this.penalised;
    if (!this.penalised) return;
    const { own, series } = this.penaltyCurves(this.live, this.lambdas.version, this.lambdas.isOf(problem));
    const best = this.best && this.bestKey === this.bestKeyOf(problem) ? this.best : null;
    const found = this.pointIsCurrent ? this.point : null;
    charts.penalty.draw({
      x: kLambdas,
      series,
      lines: best?.lambda > 0 ? [{ x: best.lambda, label: "optimal λ" }] : [],
      marker: typeof problem.lambda === "number" ? problem.lambda : found?.problem.lambda > 0 ? found.problem.lambda : undefined,
      dots: found ? [{ y: found.errors.test, color: 0 }] : [],
      caption: best ? `Least test error ${formatNumber(best.test)} at λ ${best.lambda > 0 ? `= ${formatNumber(best.lambda)}` : "→ 0"} (${best.where}).` : "",
      columns: ["λ", "test error", "training error"],
      rows: () => own.map(([lambda, { errors }]) => [lambda, errors.test, errors.train]),
    });
  }

  drawScaling() {
    const chart = this.charts.scaling;
    if (chart.figure.hidden) return;
    const points = this.scaling?.scaling?.points ?? this.scaling?.points ?? none;
    const own = this.scalingKey === this.scalingKeyOf(this.problem), law = powerLawOf(this.full.target);
    const n = law && own ? this.problem.alpha * law.size ** 2 : undefined;
    const series = this.scalingCurve(points, own);
    const away = (point) => Math.abs(Math.log(point.n / n));
    const here = points.length && n ? points.reduce((a, b) => (away(b) < away(a) ? b : a)) : null;
    chart.draw({
      series,
      marker: points.length ? n : undefined,
      dots: this.pointIsCurrent ? [{ y: this.point.errors.estimation, color: 2 }] : [],
      caption: here ? `At this n: E falls like n^${formatNumber(here.slope, 3)}${here.predicted ? `; predicted ${formatNumber(here.predicted, 3)} (${here.regime})` : ""}.` : (this.scalingNote ?? ""),
      columns: ["n", "E", "slope", "regime"],
      rows: () => (own ? points : []).map((point, i) => [...series[0].points[i], point.slope, point.regime]),
    });
  }

  drawReadout() {
    const { point } = this;
    const host = document.getElementById("figures");
    if (!point) return showFigures(host, none);
    const error = point.diagnostics.sampling_error;
    const within = (name) => (error?.[name] > 0 ? ` ± ${formatNumber(2 * error[name], 2)}` : "");
    const unstable = point.diagnostics.replicon >= 1;
    const figures = [
      ...errorNames.map(([name, label], color) => [label, formatNumber(point.errors[name]) + within(name), color]),
      ["noisy test error", this.full.noise > 0 ? formatNumber(point.errors.test_noisy) : null],
      ["λ found", typeof point.asked.lambda === "string" && typeof point.problem.lambda === "number" ? formatNumber(point.problem.lambda) : null],
      ["q", formatNumber(point.overlaps.q)],
      ["m", formatNumber(point.overlaps.m)],
      ["V", formatNumber(point.overlaps.V)],
      ["rank/d", point.spectrum.collapse ? formatNumber(point.spectrum.collapse.rank_fraction, 3) : null],
      ["replicon R", point.diagnostics.replicon === null ? null : formatNumber(point.diagnostics.replicon, 3) + (unstable ? " ≥ 1: unstable" : ""), unstable ? "bad" : undefined],
    ];
    const outdated = this.resting && !this.pointIsCurrent;
    const message = [outdated ? `These figures are of α = ${formatNumber(point.asked.alpha, 3)}, before the last input.` : "", point.diagnostics.message ?? ""].filter(Boolean).join(" ");
    showFigures(host, figures, message, !point.diagnostics.converged);
    host.classList.toggle("coarse", !point.fine);
    host.classList.toggle("outdated", outdated);
  }

  // What a screen reader hears, once nothing moves: of figures that are those of this problem, from scratch.
  summarise() {
    const known = this.settledPoint;
    document.getElementById("summary").textContent = known ? this.summary(known) : "";
    this.draw();
    const { spectrum } = this.charts;
    if (!known) return spectrum.settle("No spectrum is known at this problem.");
    const { caption } = this.spectrumOf(known);
    spectrum.settle(`Density of the trained spectrum: ${formatNumber(100 * known.spectrum.zero_mass, 3)} % of it at zero. ${caption}`);
    if (known.weights) this.charts.weights.settle(`Density of the singular values of W/√d. ${this.weightsOf(known).caption}`);
  }

  summary({ asked, errors, spectrum, diagnostics, fine }) {
    const parts = [`At α = ${formatNumber(asked.alpha, 3)}: test error ${formatNumber(errors.test)}, training error ${formatNumber(errors.train)}, estimation error ${formatNumber(errors.estimation)}`];
    if (spectrum.collapse) parts.push(`, rank ${formatNumber(100 * spectrum.collapse.rank_fraction, 3)} % of d`);
    if (!fine) parts.push(`; to ${100 * kCoarse} % only`);
    if (!diagnostics.converged) parts.push("; the solver has not converged, these are no solution");
    if (diagnostics.replicon >= 1) parts.push("; the solution is unstable, R ≥ 1");
    return `${parts.join("")}.`;
  }

  // Once all stands still workers solve points of softmax, of which nobody waits for any: what they run is compiled to its best,
  // for all workers, before somebody drags it.
  warm() {
    if (this.warmed || !this.engine.workers?.length) return;
    this.warmed = true;
    for (const alpha of geometric(0.1, 1, kWarm)) this.ask(coarsely({ alpha, lambda: 0.05 }), { group: "warm", urgency: 9 });
  }

  settleErrors() {
    this.draw();
    this.charts.errors.settle(`Errors against α, ${this.curve().length} points. ${document.getElementById("summary").textContent}`);
    this.allowExports();
  }

  settlePenalty() {
    this.draw();
    this.charts.penalty.settle(`Test error against λ. ${this.charts.penalty.data?.caption ?? ""}`);
  }

  // Figures and curve leave the page when both are those of the problem: at rest.
  allowExports() {
    if (this.element.hidden) return;
    const ready = !this.moving && this.alphas.complete && this.alphas.isOf(this.problem) && (!this.closedForm || (this.between.complete && this.between.key === this.alphas.key));
    if (this.allowed === ready && document.documentElement.dataset.settled === String(ready)) return;
    this.allowed = ready;
    if (ready) this.warm();
    for (const button of this.exports) button.disabled = !ready;
    document.documentElement.dataset.settled = ready;
  }

  pin() {
    this.pins = [...this.pins, { problem: this.alphas.problem, full: this.full, points: this.curve().map(([alpha, answer]) => [alpha, answer.errors.test]) }];
    document.getElementById("unpin").hidden = false;
    this.draw();
  }

  // The test errors of the pinned curves; undefined where a curve has no point.
  pinnedAt(alpha) {
    return this.pins.map(({ points }) => points.find(([at]) => at === alpha)?.[1]);
  }

  get hash() {
    return toHash(this.problem);
  }

  texts() {
    return { hash: this.hash, command: toCommand(this.problem, kFine), python: toPython(this.problem, kFine) };
  }

  // What is saved: a document, or lines of a table.
  file(format) {
    const curve = this.curve(), point = this.settledPoint;
    if (format === "json")
      return {
        command: toCommand(this.problem, point?.accuracy ?? kFine),
        accuracy: point?.accuracy ?? null,
        solution: point ? without(point, "asked", "accuracy", "cold", "fine", "generation", "start") : null,
        thresholds: this.thresholds,
        curve: { problem: this.alphas.problem, accuracy: kCoarse, points: curve.map(([alpha, { errors }]) => ({ alpha, errors })) },
        pinned: this.pins.map(({ problem, points }) => ({ problem, accuracy: kCoarse, points: points.map(([alpha, test]) => ({ alpha, test })) })),
      };
    const columns = ["train", "test", "test_noisy", "estimation", "objective"];
    // The document says of which problems the pinned curves are.
    const pinned = this.pins.map((_, k) => `pinned_${k + 1}_test`);
    const line = ([alpha, { errors, replicon, converged }]) => [alpha, ...columns.map((name) => errors[name]), replicon ?? "", converged, kCoarse, ...this.pinnedAt(alpha)];
    return [["alpha", ...columns, "replicon", "converged", "accuracy", ...pinned], ...curve.map(line)];
  }
}
