// node page_test.mjs PAGE PROGRAM BROWSER [file|http] [EXECUTABLE]: the page in a browser (chromium or firefox), from disk or from
// a server on this machine. Prints what it measures; frame times are limits on an idle machine, and tested at `kSlack` times them.
import assert from "node:assert/strict";
import { execSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import puppeteer from "puppeteer-core";

// What the charts of reports are drawn by.
const reportPackage = createRequire(new URL("../../src/attnlaw/report/web/package.json", import.meta.url));
const [path, program, browserName = "chromium", scheme = "file", executable] = process.argv.slice(2);
// Tests run beside each other, and on machines that are busy.
const kSlack = Number(process.env.ATTNLAW_EXPLORER_SLACK ?? 6);
const page_ = resolve(path);
const size = readFileSync(page_).length;
const profile = mkdtempSync(join(tmpdir(), "attnlaw-explorer-"));
const server = scheme === "http" ? createServer((_, response) => response.setHeader("Content-Type", "text/html; charset=utf-8").end(readFileSync(page_))) : null;
if (server) await new Promise((done) => server.listen(0, "127.0.0.1", done));
const address = server ? `http://127.0.0.1:${server.address().port}/` : pathToFileURL(page_).href;

const firefox = browserName === "firefox";
const browser = await puppeteer.launch({
  browser: browserName === "firefox" ? "firefox" : "chrome",
  executablePath: executable ?? execSync(`command -v ${firefox ? "firefox-esr" : "chromium"}`, { encoding: "utf8" }).trim(),
  headless: true,
  userDataDir: profile,
  args: firefox ? [] : ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking"],
  env: { ...process.env, HOME: profile },
});

const complaints = [], requests = [];
const open = async (url, { width = 1300, height = 1000 } = {}) => {
  const page = await browser.newPage();
  await page.setViewport({ width, height });
  page.on("console", (message) => ["error", "warn"].includes(message.type()) && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => /^(blob|data):/.test(request.url()) || requests.push(request.url()));
  await page.goto(url);
  // A page behind another one has no frames.
  await page.bringToFront();
  await page.waitForSelector("html[data-ready]", { timeout: 30000 });
  return page;
};
// The point of the problem is there, from scratch.
const settled = (page) => page.waitForFunction(() => window.attnlaw.explorer.settledPoint?.fine && document.getElementById("summary").textContent, { timeout: 20000 });
// And all that leaves the page, too.
const complete = (page) => page.waitForFunction(() => document.documentElement.dataset.settled === "true", { timeout: 20000 });
const set = async (page, problem) => assert.equal(await page.evaluate((value) => window.attnlaw.explorer.set(value), problem), "");
const closed = { alpha: 0.3, lambda: 0.05, head: "linear", noise: 0.1 };
const report = (text) => console.log(`${browserName}, ${scheme}: ${text}`);

// Moves a slider to another place in every frame for a second.
const drag = (page, slider) =>
  page.evaluate(async (id) => {
    const { explorer } = window.attnlaw, range = document.getElementById(id);
    const frame = () => new Promise(requestAnimationFrame);
    const frames = [], busy = [];
    const draw = explorer.draw.bind(explorer), { engine } = window.attnlaw;
    // Answers of workers are read in this thread, too.
    const workers = (engine.workers ?? []).map(({ worker }) => [worker, worker.onmessage]);
    for (const [worker, take] of workers)
      worker.onmessage = (event) => {
        const begin = performance.now();
        take(event);
        spent += performance.now() - begin;
      };
    let spent = 0;
    explorer.draw = () => {
      const begin = performance.now();
      draw();
      spent += performance.now() - begin;
    };
    await frame();
    const updates = explorer.updates, begin = performance.now();
    let before = begin;
    for (let i = 0; performance.now() - begin < 1000; ++i) {
      spent = 0;
      const start = performance.now();
      range.value = 350 + 3 * (i % 60);
      range.dispatchEvent(new Event("input", { bubbles: true }));
      const handled = performance.now() - start;
      await frame();
      const now = performance.now();
      frames.push(now - before);
      busy.push(handled + spent);
      before = now;
    }
    const seconds = (performance.now() - begin) / 1000;
    explorer.draw = draw;
    for (const [worker, take] of workers) worker.onmessage = take;
    const sorted = (list) => [...list].sort((a, b) => a - b);
    const median = (list) => sorted(list)[list.length >> 1];
    return { updates: (explorer.updates - updates) / seconds, median: median(frames), longest: Math.max(...frames.slice(1)), busy: median(busy), busiest: Math.max(...busy) };
  }, slider);

const tests = {
  async "is ready, without a word on the console"() {
    const page = await open(address);
    const ready = Number(await page.evaluate(() => document.documentElement.dataset.ready));
    report(`page of ${(size / 1e6).toFixed(3)} MB, ready after ${ready} ms, ${await page.evaluate(() => document.getElementById("engine").textContent)}`);
    // With all that is in it, to be sent by mail and put on any host.
    assert.ok(size <= 1e6, `the page has ${size} bytes`);
    assert.ok(ready <= 500 * kSlack, `ready after ${ready} ms`);
    assert.deepEqual(JSON.parse(await page.evaluate(() => document.documentElement.dataset.errors)), []);
    await page.close();
  },

  async "follows a slider"() {
    const page = await open(address);
    for (const [name, problem, least] of [["closed form", closed, 50], ["softmax, T = 2", { alpha: 0.3, lambda: 0.05 }, 30]]) {
      await set(page, problem);
      await settled(page);
      for (const slider of ["alpha", "lambda"]) {
        const found = await drag(page, slider);
        report(`${name}, ${slider}: ${found.updates.toFixed(0)} updates/s; frames ${found.median.toFixed(1)} ms, longest ${found.longest.toFixed(1)} ms; main thread ${found.busy.toFixed(1)} ms, longest ${found.busiest.toFixed(1)} ms`);
        assert.ok(found.updates >= least / kSlack, `${found.updates} updates/s`);
        assert.ok(found.busy <= 16 * kSlack && found.busiest <= 50 * kSlack, `main thread busy for ${found.busy} ms, at most ${found.busiest} ms`);
        await settled(page);
      }
    }
    await page.close();
  },

  async "fills a curve of 24 points"() {
    const page = await open(address);
    for (const [name, problem] of [["closed form", closed], ["softmax, T = 2", { alpha: 0.3, lambda: 0.05 }]]) {
      await set(page, { ...problem, lambda: 0.5 });
      await complete(page);
      const milliseconds = await page.evaluate(async (wanted) => {
        const { explorer } = window.attnlaw, { alphas } = explorer;
        const begin = performance.now();
        explorer.move(wanted);
        if (alphas.points(true).some(([, answer]) => answer.problem.lambda === wanted.lambda)) throw new Error("the curve is known before it is asked for");
        while (!alphas.isOf(wanted) || alphas.fresh.some((fresh) => !fresh)) await new Promise((done) => setTimeout(done, 2));
        return performance.now() - begin;
      }, problem);
      report(`${name}: 24 points in ${milliseconds.toFixed(0)} ms`);
      assert.ok(milliseconds <= 500 * kSlack * 2);
    }
    await page.close();
  },

  async "keeps the problem in its address"() {
    const page = await open(address);
    await set(page, { ...closed, student: "direct", target: "wishart:0.25" });
    await settled(page);
    await page.waitForFunction(() => location.hash.includes("direct"));
    const first = await page.evaluate(() => ({ hash: location.hash, problem: window.attnlaw.explorer.problem, test: window.attnlaw.explorer.point.errors.test }));
    const again = await open(address + first.hash);
    await settled(again);
    const second = await again.evaluate(() => ({ hash: location.hash, problem: window.attnlaw.explorer.problem, test: window.attnlaw.explorer.point.errors.test }));
    assert.deepEqual(second, first);
    await Promise.all([page.close(), again.close()]);
  },

  async "shows what its command prints"() {
    const page = await open(address);
    for (const [problem, tolerance] of [[closed, 1e-8], [{ ...closed, lambda: "0+", target: "wishart:0.3" }, 1e-7], [{ alpha: 0.4, lambda: 0.05, noise: 0.1 }, 1e-6]]) {
      await set(page, problem);
      await settled(page);
      const { command, python, errors } = await page.evaluate(() => {
        const { explorer, toCommand, toPython } = window.attnlaw;
        return { command: toCommand(explorer.problem, 1e-3), python: toPython(explorer.problem, 1e-3), errors: explorer.point.errors };
      });
      const printed = JSON.parse(execSync(`'${program}' ${command.replace(/^attnlaw /, "")} --format json`, { encoding: "utf8" }));
      for (const name of ["train", "test", "estimation"]) assert.ok(Math.abs(printed.errors[name] - errors[name]) <= tolerance * Math.abs(errors[name]), `${command}: ${name} ${printed.errors[name]} and ${errors[name]}`);
      assert.match(python, /attnlaw\.solve\(problem, accuracy=0\.001\)/);
    }
    await page.close();
  },

  async "replaces a worker that is silent"() {
    const page = await open(address);
    const outcome = await page.evaluate(async () => {
      const { engine } = window.attnlaw;
      const hard = { ask: "solve", problem: { alpha: 0.5, lambda: 0.001, tokens: 4 }, accuracy: 1e-4 };
      const { late } = await engine.ask(hard, { group: "hard", urgency: 0, limit: 300 });
      const { answer } = await engine.ask({ ask: "solve", problem: { alpha: 1, lambda: 0.1, head: "linear" } }, { group: "easy", urgency: 0 });
      return { late, replaced: engine.replaced, converged: answer.diagnostics.converged };
    });
    assert.deepEqual(outcome, { late: true, replaced: 1, converged: true });
    await page.close();
  },

  async "shows no figures of another problem"() {
    const page = await open(address);
    await set(page, closed);
    await complete(page);
    // From here on the point is late, and so is all that is asked from scratch.
    await page.evaluate(() => {
      const { engine } = window.attnlaw, ask = engine.ask.bind(engine);
      engine.ask = (question, options) => (["point", "rest"].includes(options.group) ? Promise.resolve({ late: true }) : ask(question, options));
      window.attnlaw.restore = () => (engine.ask = ask);
    });
    await set(page, { ...closed, alpha: 1 });
    await complete(page);
    const found = await page.evaluate(() => ({ point: window.attnlaw.explorer.point, figures: document.getElementById("figures").textContent, summary: document.getElementById("summary").textContent, notice: document.getElementById("notice").textContent }));
    assert.deepEqual({ ...found, notice: "" }, { point: null, figures: "", summary: "", notice: "" });
    assert.match(found.notice, /hard point.*attnlaw solve --alpha 1 /);
    await page.evaluate(() => window.attnlaw.restore());
    await set(page, { ...closed, alpha: 2 });
    await settled(page);
    assert.match(await page.evaluate(() => document.getElementById("summary").textContent), /^At α = 2:/);
    await page.close();
  },

  async "takes the last of two choices, and says what an address is refused for"() {
    const page = await open(`${address}#alpha=-1&lambda=0.05`);
    await settled(page);
    assert.match(await page.evaluate(() => document.getElementById("notice").textContent), /alpha/);
    await page.evaluate((problem) => {
      const { explorer } = window.attnlaw;
      explorer.set({ ...problem, alpha: 7 });
      explorer.move({ ...explorer.problem, alpha: 0.7 });
    }, closed);
    await settled(page);
    assert.equal(await page.evaluate(() => window.attnlaw.explorer.problem.alpha), 0.7);
    assert.equal(await page.evaluate(() => document.getElementById("notice").textContent), "");
    await page.close();
  },

  async "computes without workers"() {
    const page = await open(`${address}?workers=0`);
    await set(page, closed);
    await settled(page);
    assert.match(await page.evaluate(() => document.getElementById("engine").textContent), /no workers/);
    await page.waitForFunction(() => window.attnlaw.explorer.alphas.points(true).length >= 20);
    await page.close();
  },

  // attnlaw.explore of a notebook: no origin, no storage, no address of its own.
  async "runs in a frame that may run scripts and nothing else"() {
    const page = await browser.newPage();
    page.on("console", (message) => ["error", "warn"].includes(message.type()) && complaints.push(message.text()));
    await page.evaluate((text) => {
      const frame = document.createElement("iframe");
      frame.setAttribute("sandbox", "allow-scripts allow-downloads");
      frame.width = 1200;
      frame.height = 900;
      frame.srcdoc = text;
      document.body.append(frame);
    }, readFileSync(page_, "utf8"));
    await page.bringToFront();
    const frame = await page.waitForFrame((one) => one !== page.mainFrame());
    await frame.waitForSelector("html[data-ready]", { timeout: 30000 });
    await frame.waitForFunction(() => document.documentElement.dataset.settled === "true", { timeout: 20000 });
    const { engine, test, errors } = await frame.evaluate(() => ({ engine: document.getElementById("engine").textContent, test: window.attnlaw.explorer.point.errors.test, errors: document.documentElement.dataset.errors }));
    report(`in a sandboxed frame: ${engine}`);
    assert.ok(test > 0);
    assert.deepEqual(JSON.parse(errors), []);
    await page.close();
  },

  async "takes every preset"() {
    const page = await open(address);
    const count = await page.evaluate(() => window.attnlaw.presets.length);
    for (let i = 0; i < count; ++i) {
      const name = await page.evaluate((k) => window.attnlaw.presets[k].name, i);
      await page.select("#preset", String(i));
      const wanted = await page.evaluate(async (k) => {
        const { engine, keyOf, presets } = window.attnlaw;
        return keyOf((await engine.ask({ ask: "check", problem: presets[k].problem }, { group: "test", urgency: 0 })).answer.problem);
      }, i);
      await page.waitForFunction((key) => window.attnlaw.keyOf(window.attnlaw.explorer.problem) === key, {}, wanted);
      await settled(page);
      assert.ok(await page.evaluate(() => window.attnlaw.explorer.point.diagnostics.converged), name);
      assert.equal(await page.evaluate(() => document.getElementById("notice").textContent), "", name);
      await page.waitForFunction(() => window.attnlaw.explorer.alphas.points(true).length >= 20).catch((error) => Promise.reject(new Error(`${name}: ${error.message}`)));
    }
    await page.close();
  },

  async "refuses with a reason, and takes along what follows"() {
    const page = await open(address);
    await set(page, { alpha: 0.5, lambda: 0.05, head: "linear" });
    await settled(page);
    const refused = await page.evaluate(() => ({ hardmax: document.querySelector("#head option[value=hardmax]").title, off: document.querySelector("#head option[value=hardmax]").disabled, beta: document.querySelector("#beta").disabled }));
    assert.match(refused.hardmax, /student bayes only/);
    assert.ok(refused.off && refused.beta);
    const described = await page.evaluate(() => ["head", "beta"].map((id) => document.getElementById(document.getElementById(id).getAttribute("aria-describedby")).textContent));
    assert.match(described[0], /student bayes only/);
    assert.ok(described[1]);
    await page.select("#attention", "cross");
    await page.waitForFunction(() => window.attnlaw.explorer.full.target.startsWith("product"));
    await settled(page);
    await page.select("#attention", "self");
    await page.waitForFunction(() => window.attnlaw.explorer.full.target.startsWith("wishart"));
    // A number that is none is said to be, and the problem stays.
    await page.$eval("#target-text", (input) => {
      input.value = "wishart:-1";
      input.dispatchEvent(new Event("change"));
    });
    await page.waitForFunction(() => document.getElementById("notice").textContent.includes("kappa"));
    await page.close();
  },

  async "has the law of in-context regression"() {
    const page = await open(address);
    await settled(page);
    await page.click("[data-law=icl]");
    const shown = (problem) => page.waitForFunction((wanted) => {
      const { inContext } = window.attnlaw;
      return document.documentElement.dataset.settled === "true" && inContext.prediction && Object.entries(wanted).every(([name, value]) => inContext.asked[name] === value);
    }, { timeout: 20000 }, problem);
    await shown({ tasks: 0.5 });
    assert.deepEqual(await page.evaluate(() => [document.getElementById("attention-law").hidden, document.getElementById("icl-law").hidden]), [true, false]);
    await page.evaluate(() => {
      const range = document.getElementById("icl-tasks");
      range.value = 700;
      range.dispatchEvent(new Event("input", { bubbles: true }));
    });
    await page.waitForFunction(() => window.attnlaw.inContext.asked.tasks > 5 && document.documentElement.dataset.settled === "true");
    const { command, python, hash, prediction, curve } = await page.evaluate(() => {
      const { inContext } = window.attnlaw;
      return { ...inContext.texts(), prediction: inContext.prediction, curve: inContext.curves.tasks.length };
    });
    assert.equal(curve, 61);
    assert.match(python, /attnlaw\.icl\(context=10, tasks=[\d.]+, sequences=5, noise=0\.1, lambda_=0\.01\)/);
    const printed = JSON.parse(execSync(`'${program}' ${command.replace(/^attnlaw /, "")} --format json`, { encoding: "utf8" }));
    for (const name of ["new_tasks", "training_tasks", "train"]) assert.ok(Math.abs(printed[name] - prediction[name]) <= 1e-9 * prediction[name], `${command}: ${name} ${printed[name]} and ${prediction[name]}`);
    assert.match(await page.evaluate(() => location.hash), /law=icl&/);
    // Its address opens it again, and the best penalty is found along its curves.
    const again = await open(`${address}#${hash.replace(/lambda=[^&]*/, "lambda=optimal")}`);
    await again.waitForFunction(() => window.attnlaw.inContext.prediction && document.documentElement.dataset.settled === "true");
    assert.ok(await again.evaluate((test) => window.attnlaw.inContext.prediction.new_tasks <= test, prediction.new_tasks));
    await Promise.all([page.close(), again.close()]);
  },

  async "goes by the keyboard, with labels"() {
    const page = await open(address);
    await set(page, closed);
    await settled(page);
    const before = await page.evaluate(() => window.attnlaw.explorer.problem.alpha);
    await page.focus("#alpha");
    await page.keyboard.press("ArrowRight");
    await page.waitForFunction((alpha) => window.attnlaw.explorer.problem.alpha > alpha, {}, before);
    const unlabelled = await page.evaluate(() => [...document.querySelectorAll("input, select, button")].filter((element) => !element.labels?.length && !element.getAttribute("aria-label") && !element.textContent.trim()).map((element) => element.id));
    assert.deepEqual(unlabelled, []);
    assert.equal(await page.evaluate(() => document.getElementById("summary").getAttribute("aria-live")), "polite");
    await page.close();
  },

  async "hands out its numbers and pictures"() {
    const page = await open(address);
    await set(page, closed);
    await settled(page);
    await complete(page);
    await page.waitForFunction(() => window.attnlaw.explorer.lambdas.complete);
    assert.equal(await page.evaluate(() => window.attnlaw.explorer.curve().length), 47);
    const files = await page.evaluate(async () => {
      const files = {}, blobs = {};
      const make = URL.createObjectURL;
      URL.createObjectURL = (blob) => {
        const url = make(blob);
        blobs[url] = blob;
        return url;
      };
      HTMLAnchorElement.prototype.click = function () {
        files[this.download] = blobs[this.href];
      };
      for (const button of document.querySelectorAll("[data-save], main:not([hidden]) figure:not([hidden]) [data-export]")) button.click();
      while (!files["attnlaw-errors.png"]) await new Promise((done) => setTimeout(done, 20));
      return { names: Object.keys(files), csv: await files["attnlaw-explorer.csv"].text(), json: JSON.parse(await files["attnlaw-explorer.json"].text()), svg: await files["attnlaw-errors.svg"].text(), vega: await Promise.all(Object.keys(files).filter((name) => name.endsWith(".vl.json")).map(async (name) => JSON.parse(await files[name].text()))), png: files["attnlaw-errors.png"].size };
    });
    assert.equal(files.csv.trim().split("\n").length, 48);
    assert.match(files.json.command, /^attnlaw solve --alpha 0.3 --lambda 0.05/);
    assert.equal(files.json.accuracy, 1e-3);
    assert.ok(files.json.solution.errors.test > 0 && files.json.curve.points.length === 47);
    assert.equal(files.json.curve.problem.alpha, undefined);
    assert.equal(files.json.curve.problem.lambda, closed.lambda);
    assert.match(files.svg, /^<svg.*<path/s);
    assert.deepEqual(files.vega.map((chart) => chart.title).sort(), ["Errors against data", "Singular values of W/√d", "Spectrum of the trained map S", "Test error against the penalty"]);
    const { compile } = reportPackage("vega-lite"), vega = reportPackage("vega");
    for (const chart of files.vega) {
      const logger = { warn: (text) => assert.fail(`${chart.title}: ${text}`), info() {}, debug() {}, error: (text) => assert.fail(text), level: () => logger };
      const svg = await new vega.View(vega.parse(compile(chart, { logger }).spec), { renderer: "none" }).toSVG();
      assert.ok(svg.includes("mark-line") || svg.includes("mark-area"), chart.title);
      // Every curve has all of its points, and a place in the picture.
      for (const { data, mark } of chart.layer) if (mark.type === "line") assert.ok(data.values.length >= 19 && data.values.every(({ x, y }) => Number.isFinite(x) && y >= 0), chart.title);
    }
    const test = files.vega.find((chart) => chart.title === "Errors against data").layer.find(({ encoding }) => encoding.color?.datum === "test error");
    assert.deepEqual(test.data.values.map(({ y }) => y), files.json.curve.points.map(({ errors }) => errors.test));
    assert.ok(files.png > 5000);
    await page.evaluate(() => document.querySelector("#pin").click());
    await page.evaluate(() => document.querySelector("figure details").setAttribute("open", ""));
    await page.waitForFunction(() => document.querySelectorAll("figure table tr").length === 48);
    await page.close();
  },

  async "fits a telephone"() {
    const page = await open(address, { width: 400, height: 800 });
    await settled(page);
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0);
    await page.close();
  },
};

let failed = 0;
const only = process.env.ATTNLAW_EXPLORER_ONLY;
try {
  for (const [name, test] of Object.entries(tests)) {
    if (only && !name.includes(only)) continue;
    try {
      await test();
      console.log(`ok      ${name}`);
    } catch (error) {
      ++failed;
      console.log(`FAILED  ${name}\n${error.stack}`);
      for (const page of (await browser.pages()).slice(1)) await page.close();
    }
  }
  const foreign = requests.filter((url) => !url.startsWith(address));
  if (foreign.length) ++failed, console.log(`FAILED  asked for ${foreign.join(", ")}`);
  if (complaints.length) ++failed, console.log(`FAILED  on the console: ${complaints.join("\n")}`);
} finally {
  await browser.close();
  server?.close();
  rmSync(profile, { recursive: true, force: true });
}
process.exitCode = failed ? 1 : 0;
