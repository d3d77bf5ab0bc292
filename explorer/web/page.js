// The page: which law it shows, and what stands above all of them: examples, texts to copy, files.

const sayAbove = (text) => {
  const element = document.getElementById("notice");
  element.hidden = !text;
  if (element.textContent !== text) element.textContent = text;
};

const leadElement = document.getElementById("lead"), plainLead = { text: leadElement.textContent };
const showLead = ({ text, figure }) => change(leadElement, "textContent", figure ? `${text} As a figure, with trained layers: attnlaw figure ${figure}` : text);

// Laws by their names in an address: who makes each, once it is shown, as a view with {element, presets, problem, set(problem),
// hash, texts(), file(format), draw()}.
class Page {
  constructor(makers) {
    this.makers = makers;
    this.laws = {};
    this.menu = document.getElementById("preset");
    this.menu.addEventListener("change", () => this.start(this.law.presets[this.menu.value]));
    // A page inside another one may have no address to link to.
    document.querySelector("[data-copy=link]").hidden = !/^(file|https?):$/.test(location.protocol);
    this.tabs = document.querySelectorAll("[data-law]");
    for (const tab of this.tabs)
      tab.addEventListener("click", () => {
        this.show(tab.dataset.law);
        this.law.problem ? this.law.set(this.law.problem) : this.start(this.law.presets[0]);
      });
    for (const button of document.querySelectorAll("[data-copy]")) button.addEventListener("click", () => this.copy(button));
    for (const button of document.querySelectorAll("[data-save]")) button.addEventListener("click", () => this.save(button.dataset.save));
    addEventListener("hashchange", () => {
      if (location.hash.slice(1) !== this.law.hash && location.hash.length > 1) this.open(fromHash(location.hash));
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.law.draw());
  }

  get law() {
    return this.laws[this.name];
  }

  // The law of a name, which says nothing while it is hidden.
  make(name) {
    if (this.laws[name]) return;
    const law = this.makers[name]((text) => this.name === name && sayAbove(text));
    law.onRest = () => {
      if (law !== this.law) return;
      this.writeHash();
      this.nameStart();
    };
    law.onRefused = (why) => law === this.law && this.allowCopies(why);
    this.laws[name] = law;
  }

  show(name) {
    if (name === this.name) return;
    this.make(name);
    this.name = name;
    this.law.allowed = undefined;
    sayAbove("");
    showLead(plainLead);
    for (const main of document.querySelectorAll("main")) main.hidden = main !== this.law.element;
    for (const tab of this.tabs) tab.setAttribute("aria-pressed", String(tab.dataset.law === name));
    for (const element of document.querySelectorAll("[data-of]")) element.classList.toggle("elsewhere", element.dataset.of !== name);
    const { presets } = this.law;
    const group = (label, from, to) => `<optgroup label="${label}">${presets.slice(from, to).map((preset, i) => `<option value="${from + i}">${escapeText(preset.name)}</option>`).join("")}</optgroup>`;
    const figures = presets.findIndex((preset) => preset.name.startsWith("arXiv"));
    this.menu.innerHTML = `<option value="">…</option>` + (figures < 0 ? group("What can be seen", 0) : group("What can be seen", 0, figures) + group("Figures of papers", figures));
  }

  // Begins at an example.
  start(preset) {
    if (!preset) return;
    return this.startAt(preset, this.law.set(preset.problem));
  }

  // What stands above is of the example that the law has begun with, as soon as it has.
  async startAt(preset, taken) {
    const { law } = this, started = { preset };
    law.started = started;
    this.menu.value = String(law.presets.indexOf(preset));
    showLead(preset);
    const why = await taken;
    if (!why && law.problem) Object.assign(started, { key: keyOf(law.problem), kind: kindOf(law.problem) });
    return why;
  }

  // A problem that is no longer that of the example has no name; what is said of the example stays as long as only numbers move.
  nameStart() {
    const { law } = this, { preset, key, kind } = law.started ?? {};
    if (!key) return;
    change(this.menu, "value", keyOf(law.problem) === key ? String(law.presets.indexOf(preset)) : "");
    showLead(kindOf(law.problem) === kind ? preset : plainLead);
  }

  // What is no problem is not handed on.
  allowCopies(why) {
    for (const button of document.querySelectorAll("[data-copy]")) {
      button.disabled = Boolean(why);
      button.title = why;
    }
  }

  // Shows the problem of an address. Returns what is wrong with it, if anything is.
  async open({ law = "attention", ...problem }, ...more) {
    if (!this.makers[law]) return `law must be one of ${Object.keys(this.makers).join(", ")}, got '${law}'`;
    this.show(law);
    const why = await this.law.set(problem, ...more);
    // A law that has shown nothing yet begins at its first example.
    if (why && !this.law.problem) await this.start(this.law.presets[0]);
    if (why) sayAbove(why);
    return why;
  }

  writeHash() {
    try {
      history.replaceState(null, "", `#${this.law.hash}`);
    } catch {
      // A page inside another one may have no address of its own; the button still copies it.
    }
  }

  async copy(button) {
    const { hash, ...texts } = this.law.texts();
    const text = button.dataset.copy === "link" ? `${location.href.split("#")[0]}#${hash}` : texts[button.dataset.copy];
    const label = (button.dataset.label ??= button.textContent);
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
      setTimeout(() => (button.textContent = label), 1200);
    } catch {
      sayAbove(text);
    }
  }

  save(format) {
    const made = this.law.file(format);
    const [text, type] = format === "json" ? [JSON.stringify(made, null, 2), "application/json"] : [made.map((line) => line.join(",")).join("\n") + "\n", "text/csv"];
    saveFile(`attnlaw-explorer.${format}`, new Blob([text], { type }));
  }
}

const sayWho = (description) => change(document.getElementById("engine"), "textContent", description);
const cannotCompute = (error) => {
  console.error(error);
  sayWho("cannot compute here");
  sayAbove(`This page cannot compute here: ${error.message}. The program does the same: attnlaw solve --alpha 0.3 --lambda 0.05`);
};

const main = async () => {
  const [presets, known, given] = ["presets", "known", "start"].map((id) => JSON.parse(textOf(id)));
  if (typeof WebAssembly !== "object" || typeof DecompressionStream !== "function") throw new Error("this browser has no WebAssembly, or none of DecompressionStream");
  const query = new URLSearchParams(location.search);
  const wanted = query.has("workers") ? Number(query.get("workers")) : Math.min(3, (navigator.hardwareConcurrency ?? 2) - 1);
  const engine = await startEngine(wanted, sayWho);
  engine.working?.catch(cannotCompute);
  // What is wrong with a problem that the page is to begin with is said beside the one that it begins with.
  const begins = [location.hash.length > 1 ? fromHash(location.hash) : null, given, presets[0].problem].filter(Boolean);
  const asked = begins[0].law ? undefined : askAbout(engine, begins[0], begins[0] === presets[0].problem ? known.check : undefined);
  const page = new Page({
    attention: (say) => new Explorer(engine, known.describe, presets, say),
    icl: (say) => new InContext(engine, known.describe_in_context, say),
  });
  // A handle for the console, and for tests.
  const { laws } = page;
  window.attnlaw = { page, get explorer() { return laws.attention; }, get inContext() { return laws.icl; }, engine, known, presets, toCommand, toPython, toHash, fromHash, keyOf };
  const refusals = [];
  for (const [i, problem] of begins.entries()) {
    const taken = page.open(problem, refusals.join(" "), i === 0 ? asked : undefined);
    if (problem === presets[0].problem) page.startAt(presets[0], taken);
    const why = await taken;
    if (!why) return;
    refusals.push(why);
  }
};

main().catch(cannotCompute);
