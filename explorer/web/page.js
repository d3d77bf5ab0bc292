// The page: which law it shows, and what stands above all of them: examples, texts to copy, files.

const sayAbove = (text) => {
  const element = document.getElementById("notice");
  element.hidden = !text;
  if (element.textContent !== text) element.textContent = text;
};

// Laws by their names in an address: each a view with {element, presets, problem, set(problem), hash, texts(), file(format), draw()}.
class Page {
  constructor(laws) {
    this.laws = laws;
    this.menu = document.getElementById("preset");
    this.menu.addEventListener("change", () => this.start(this.law.presets[this.menu.value]));
    this.tabs = document.querySelectorAll("[data-law]");
    for (const tab of this.tabs)
      tab.addEventListener("click", () => {
        this.show(tab.dataset.law);
        this.law.problem ? this.law.set(this.law.problem) : this.start(this.law.presets[0]);
      });
    for (const button of document.querySelectorAll("[data-copy]")) button.addEventListener("click", () => this.copy(button));
    for (const button of document.querySelectorAll("[data-save]")) button.addEventListener("click", () => this.save(button.dataset.save));
    for (const law of Object.values(laws)) law.onRest = () => law === this.law && this.writeHash();
    addEventListener("hashchange", () => {
      if (location.hash.slice(1) !== this.law.hash && location.hash.length > 1) this.open(fromHash(location.hash));
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.law.draw());
  }

  get law() {
    return this.laws[this.name];
  }

  show(name) {
    if (name === this.name) return;
    this.name = name;
    this.law.allowed = undefined;
    sayAbove("");
    for (const [other, law] of Object.entries(this.laws)) law.element.hidden = other !== name;
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
    this.menu.value = String(this.law.presets.indexOf(preset));
    showLead(preset);
    return this.law.set(preset.problem);
  }

  // Shows the problem of an address. Returns what is wrong with it, if anything is.
  async open({ law = "attention", ...problem }, ...more) {
    if (!this.laws[law]) return `law must be one of ${Object.keys(this.laws).join(", ")}, got '${law}'`;
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

const showLead = ({ text, figure }) => (document.getElementById("lead").textContent = figure ? `${text} As a figure, with trained layers: attnlaw figure ${figure}` : text);

const main = async () => {
  const presets = JSON.parse(textOf("presets")), given = JSON.parse(textOf("start"));
  if (typeof WebAssembly !== "object" || typeof DecompressionStream !== "function") throw new Error("this browser has no WebAssembly, or none of DecompressionStream");
  const query = new URLSearchParams(location.search);
  const wanted = query.has("workers") ? Number(query.get("workers")) : Math.min(3, (navigator.hardwareConcurrency ?? 2) - 1);
  const engine = await startEngine(wanted, (description) => (document.getElementById("engine").textContent = description));
  // What is wrong with a problem that the page is to begin with is said beside the one that it begins with.
  const begins = [location.hash.length > 1 ? fromHash(location.hash) : null, given, presets[0].problem].filter(Boolean);
  const described = (ask) => engine.ask({ ask }, { group: "check", urgency: 0 }).then(({ answer }) => answer);
  const schemas = [described("describe"), described("describe_in_context")], asked = begins[0].law ? undefined : askAbout(engine, begins[0]);
  // A law that is hidden has nothing to say.
  let page = null;
  const sayOf = (name) => (text) => page?.name === name && sayAbove(text);
  const explorer = new Explorer(engine, await schemas[0], presets, sayOf("attention"));
  const inContext = new InContext(engine, await schemas[1], sayOf("icl"));
  page = new Page({ attention: explorer, icl: inContext });
  // A handle for the console, and for tests.
  window.attnlaw = { page, explorer, inContext, engine, presets, toCommand, toPython, toHash, fromHash, keyOf };
  const refusals = [];
  for (const [i, problem] of begins.entries()) {
    const why = await page.open(problem, refusals.join(" "), i === 0 ? asked : undefined);
    if (problem === presets[0].problem) {
      page.menu.value = "0";
      showLead(presets[0]);
    }
    if (!why) return;
    refusals.push(why);
  }
};

main().catch((error) => {
  console.error(error);
  sayAbove(`This page cannot compute here: ${error.message}. The program does the same: attnlaw solve --alpha 0.3 --lambda 0.05`);
});
