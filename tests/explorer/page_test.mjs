// node page_test.mjs PAGE PROGRAM BROWSER [file|http] [EXECUTABLE]: the page in a browser (chromium or firefox), from disk or from
// a server on this machine. Prints what it measures. Times of a clock depend on what else runs: what is tested is the processor
// time of the page's threads, so that with a core each they are as fast as is asked for.
import assert from "node:assert/strict";
import { execSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import puppeteer from "puppeteer-core";

// What the charts of reports are drawn by.
const reportPackage = createRequire(new URL("../../src/attnlaw/report/web/package.json", import.meta.url));
const [path, program, browserName = "chromium", scheme = "file", executable] = process.argv.slice(2);
// Shared caches and hyperthreads make processor time longer, too.
const kSlack = Number(process.env.ATTNLAW_EXPLORER_SLACK ?? 1.5);
// The Python of the module, where that is built.
const python = process.env.ATTNLAW_PYTHON;
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

// Milliseconds of processor that every thread below the browser has had.
const threadsOfBrowser = () => {
  const below = {}, threads = {};
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const status = readFileSync(`/proc/${pid}/stat`, "utf8");
      (below[status.slice(status.lastIndexOf(")") + 2).split(" ")[1]] ??= []).push(pid);
    } catch {
      // It has ended.
    }
  }
  const take = (pid) => {
    try {
      const shows = /--type=renderer|-contentproc.*\btab\b/.test(readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " "));
      for (const thread of readdirSync(`/proc/${pid}/task`)) {
        const folder = `/proc/${pid}/task/${thread}`, name = readFileSync(`${folder}/comm`, "utf8").trim();
        const part = !shows ? "browser" : thread === pid ? "main" : /^(DedicatedWorker|DOM Worker)/.test(name) ? "worker" : "other";
        threads[`${pid}/${thread}`] = { part, spent: Number(readFileSync(`${folder}/schedstat`, "utf8").split(" ")[0]) / 1e6 };
      }
    } catch {
      // It has ended.
    }
    for (const child of below[pid] ?? []) take(child);
  };
  take(String(browser.process().pid));
  return threads;
};
// What `action` returns, and what it costs: of the busiest main thread of a page, the busiest worker, all workers, and all threads.
const measured = async (action) => {
  const before = threadsOfBrowser(), result = await action(), after = threadsOfBrowser();
  const spent = Object.entries(after).map(([key, thread]) => ({ part: thread.part, spent: thread.spent - (before[key]?.spent ?? 0) }));
  const of = (part) => spent.filter((thread) => thread.part === part).map((thread) => thread.spent);
  const sum = (list) => list.reduce((a, b) => a + b, 0);
  return { result, main: Math.max(0, ...of("main")), worker: Math.max(0, ...of("worker")), workers: sum(of("worker")), all: sum(spent.map((thread) => thread.spent)) };
};
const limited = (what, milliseconds, limit) => assert.ok(milliseconds <= limit * kSlack, `${what}: ${milliseconds.toFixed(1)} ms of processor, accepted ${limit} (times ${kSlack})`);

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
    return { count: explorer.updates - updates, updates: (explorer.updates - updates) / seconds, median: median(frames), longest: Math.max(...frames.slice(1)), busy: median(busy), busiest: Math.max(...busy) };
  }, slider);

const tests = {
  async "is ready, without a word on the console"() {
    // The first page of a browser finds no caches filled.
    await (await open(address)).close();
    const { result: page, main, worker, all } = await measured(() => open(address));
    const ready = Number(await page.evaluate(() => document.documentElement.dataset.ready));
    report(`page of ${(size / 1e6).toFixed(3)} MB, ready after ${ready} ms, ${await page.evaluate(() => document.getElementById("engine").textContent)}; processor: main thread ${main.toFixed(0)} ms, a worker ${worker.toFixed(0)} ms, all ${all.toFixed(0)} ms`);
    // With all that is in it, to be sent by mail and put on any host.
    assert.ok(size <= 1e6, `the page has ${size} bytes`);
    // The point waits for the page to be read, and the picture for the point.
    limited("main thread and worker", main + worker, 500);
    assert.deepEqual(JSON.parse(await page.evaluate(() => document.documentElement.dataset.errors)), []);
    await page.close();
  },

  async "follows a slider"() {
    const page = await open(address);
    for (const [name, problem, least] of [["closed form", closed, 50], ["softmax, T = 2", { alpha: 0.3, lambda: 0.05 }, 30]]) {
      await set(page, problem);
      await settled(page);
      // A browser compiles better what is used, beside the first movements.
      report(`${name}: ${(await drag(page, "alpha")).updates.toFixed(0)} updates/s in the first second`);
      await settled(page);
      for (const slider of ["alpha", "lambda"]) {
        const { result: found, main, worker, all } = await measured(() => drag(page, slider));
        const each = (milliseconds) => milliseconds / found.count;
        report(`${name}, ${slider}: ${found.updates.toFixed(0)} updates/s; frames ${found.median.toFixed(1)} ms, longest ${found.longest.toFixed(1)} ms; scripts ${found.busy.toFixed(1)} ms, longest ${found.busiest.toFixed(1)} ms; processor per update: main thread ${each(main).toFixed(1)} ms, a worker ${each(worker).toFixed(1)} ms, all ${each(all).toFixed(1)} ms`);
        limited("main thread per update", each(main), 16);
        limited("a worker per update", each(worker), 1000 / least);
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
      const { result: milliseconds, worker } = await measured(() => page.evaluate(async (wanted) => {
        const { explorer } = window.attnlaw, { alphas } = explorer;
        const begin = performance.now();
        explorer.move(wanted);
        if (alphas.isOf(wanted)) throw new Error("the curve is known before it is asked for");
        while (!alphas.isOf(wanted) || alphas.fresh.some((fresh) => !fresh)) await new Promise((done) => setTimeout(done, 2));
        return performance.now() - begin;
      }, problem));
      report(`${name}: 24 points in ${milliseconds.toFixed(0)} ms; processor: a worker ${worker.toFixed(0)} ms`);
      // Beside them the point itself is solved, and solved again from scratch.
      limited("a worker", worker, 500);
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

  async "knows what the library answers to the questions that it begins with"() {
    const page = await open(address);
    const [known, answers] = await page.evaluate(async () => {
      const { engine, known, presets } = window.attnlaw, ask = async (question) => (await engine.ask(question, { group: "test", urgency: 0 })).answer;
      return [known, { describe: await ask({ ask: "describe" }), describe_in_context: await ask({ ask: "describe_in_context" }), check: await ask({ ask: "check", problem: presets[0].problem }) }];
    });
    assert.deepEqual(known, answers);
    await page.close();
  },

  async "asks another worker where one was lost"() {
    const page = await open(address);
    const outcome = await page.evaluate(async (problem) => {
      const { engine, explorer } = window.attnlaw, ask = engine.ask.bind(engine);
      let lost = 0;
      engine.ask = (question, options) => (question.ask === "check" && !lost++ ? Promise.resolve({ lost: "for a test" }) : ask(question, options));
      const why = await explorer.set({ ...problem, alpha: 0.6 });
      engine.ask = ask;
      return { why, lost, alpha: explorer.problem.alpha };
    }, closed);
    assert.deepEqual(outcome, { why: "", lost: 2, alpha: 0.6 });
    await page.close();
  },

  // As a policy of the place where the page stands may have it.
  async "says who computes where a policy forbids workers, or WebAssembly"() {
    const text = readFileSync(page_, "utf8");
    for (const [before, after, expected] of [["worker-src blob:", "worker-src 'none'", /no workers are allowed/], [" 'wasm-unsafe-eval'", "", /^cannot compute here$/]]) {
      assert.ok(text.includes(before));
      const page = await browser.newPage(), path = join(profile, "policy.html");
      writeFileSync(path, text.replace(before, after));
      await page.goto(pathToFileURL(path).href);
      await page.bringToFront();
      await page.waitForFunction((source) => new RegExp(source).test(document.getElementById("engine").textContent), { timeout: 20000 }, expected.source);
      if (after) {
        await settled(page);
      } else {
        assert.match(await page.evaluate(() => document.getElementById("notice").textContent), /cannot compute here: .*attnlaw solve/s);
        // Workers that cannot start either do not change that.
        await new Promise((done) => setTimeout(done, 500));
        assert.match(await page.evaluate(() => document.getElementById("engine").textContent), expected);
      }
      await page.close();
    }
  },

  // attnlaw.explore of a notebook: no origin, no storage, no address of its own. By the very text that a notebook shows.
  async "runs in a frame that may run scripts and nothing else"() {
    const page = await browser.newPage();
    page.on("console", (message) => ["error", "warn"].includes(message.type()) && complaints.push(message.text()));
    const path = join(profile, "notebook.html");
    const framed = python
      ? execSync(`'${python}' -c "import attnlaw; print(attnlaw.explore()._repr_html_())"`, { encoding: "utf8", maxBuffer: 1 << 24 })
      : `<iframe sandbox="allow-scripts allow-downloads" style="width: 100%; height: 56rem" srcdoc="${readFileSync(page_, "utf8").replaceAll("&", "&amp;").replaceAll('"', "&quot;")}"></iframe>`;
    writeFileSync(path, `<!DOCTYPE html><meta charset="utf-8"><title>A notebook</title>${framed}`);
    await page.goto(pathToFileURL(path).href);
    await page.bringToFront();
    const frame = await page.waitForFrame((one) => one !== page.mainFrame());
    await frame.waitForSelector("html[data-ready]", { timeout: 30000 });
    // Without a clipboard texts stand on the page as they are; a frame has no address to link to.
    await frame.evaluate(() => {
      Object.defineProperty(navigator, "clipboard", { value: { writeText: () => Promise.reject(new Error("forbidden")) } });
      document.querySelector("[data-copy=python]").click();
    });
    await frame.waitForFunction(() => /import attnlaw\n\nproblem/.test(document.getElementById("notice").innerText));
    assert.equal(await frame.evaluate(() => document.querySelector("[data-copy=link]").hidden), true);
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

  async "moves what Bayes and the target have in common together"() {
    const page = await open(address);
    await set(page, { alpha: 0.5, student: "bayes", noise: 0.1 });
    await settled(page);
    const refused = await page.evaluate(() => ({ beta: document.getElementById("beta").disabled, lambda: document.getElementById("lambda-why").textContent }));
    assert.deepEqual(refused, { beta: false, lambda: "the student has no penalty" });
    await page.$eval("#beta-number", (input) => {
      input.value = "2";
      input.dispatchEvent(new Event("change"));
    });
    await page.waitForFunction(() => window.attnlaw.explorer.problem.target_beta === 2 && window.attnlaw.explorer.problem.beta === 2 && window.attnlaw.explorer.settledPoint?.fine);
    assert.equal(await page.evaluate(() => document.getElementById("target_beta-number").valueAsNumber), 2);
    await page.close();
  },

  async "hands on no text of what is no problem"() {
    const page = await open(address);
    await set(page, closed);
    await settled(page);
    const copies = (off) => page.waitForFunction((wanted) => [...document.querySelectorAll("[data-copy]")].every((button) => button.disabled === wanted), {}, off);
    const write = (value) => page.$eval("#alpha-number", (input, text) => {
      input.value = text;
      input.dispatchEvent(new Event("change"));
    }, value);
    await write("-1");
    await copies(true);
    assert.match(await page.evaluate(() => document.querySelector("[data-copy=command]").title), /alpha must be/);
    await write("0.7");
    await copies(false);
    assert.match(await page.evaluate(() => window.attnlaw.explorer.texts().command), /--alpha 0.7 /);
    await page.close();
  },

  async "names an example as long as it is that"() {
    const page = await open(address);
    await complete(page);
    const above = () => page.evaluate(() => [document.getElementById("preset").value, document.getElementById("lead").textContent]);
    const [first, lead] = await above();
    assert.equal(first, "0");
    assert.match(lead, /peaks where it can just fit/);
    const move = (change) => page.evaluate((changed) => window.attnlaw.explorer.set({ ...window.attnlaw.explorer.problem, ...changed }), change);
    // Numbers of the example move as its text says; it can be chosen again.
    await move({ lambda: 0.1 });
    await page.waitForFunction(() => document.getElementById("preset").value === "");
    assert.deepEqual(await above(), ["", lead]);
    await move({ student: "tied" });
    await page.waitForFunction(() => document.getElementById("lead").textContent.startsWith("Exact laws"));
    await page.select("#preset", "0");
    await page.waitForFunction(() => window.attnlaw.explorer.problem.student === "direct" && window.attnlaw.explorer.settledPoint);
    assert.deepEqual(await above(), ["0", lead]);
    await page.close();
  },

  async "selects no text where its marker is dragged"() {
    const page = await open(address);
    await complete(page);
    const { x, y } = await (await page.$("#charts svg[role=img]")).boundingBox();
    const before = await page.evaluate(() => window.attnlaw.explorer.problem.alpha);
    // Along the ticks of its axis.
    await page.mouse.move(x + 60, y + 240);
    await page.mouse.down();
    await page.mouse.move(x + 360, y + 240, { steps: 10 });
    const found = await page.evaluate(() => ({ selected: String(getSelection()), alpha: window.attnlaw.explorer.problem.alpha }));
    await page.mouse.up();
    assert.equal(found.selected, "");
    assert.ok(found.alpha > before);
    await page.close();
  },

  async "keeps an old curve until there is a new one"() {
    const page = await open(address);
    await complete(page);
    const pale = await page.evaluate(() => {
      const { alphas, problem } = window.attnlaw.explorer;
      return [0, 7, 8].map((count) => {
        alphas.fresh = alphas.values.map((_, i) => i < count);
        return alphas.shown(problem, false).pale.length;
      });
    });
    assert.deepEqual(pale, [24, 17, 0]);
    await page.close();
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
    for (const text of ["Errors against data", "test error", "training error", "estimation error E", "α = n/d²"]) assert.ok(files.svg.includes(`>${text}</text>`), text);
    assert.deepEqual(files.json.pinned, []);
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
    await set(page, { ...closed, lambda: 0.2, student: "direct" });
    await complete(page);
    // A pinned curve says what it is of, wherever it stands.
    const pinned = await page.evaluate(() => {
      const { explorer } = window.attnlaw, { points, problem } = explorer.file("json").pinned[0];
      return { legend: document.querySelector("#charts .legend").textContent, head: document.querySelector("figure table th:last-child").textContent, cell: document.querySelector("figure table td:last-child").textContent, points: points.length, problem, csv: explorer.file("csv").slice(0, 2) };
    });
    const { csv, ...said } = pinned;
    assert.deepEqual({ ...said, legend: "", cell: "" }, { legend: "", cell: "", head: "test error, pinned: λ = 0.05, student = tied", points: 47, problem: { lambda: 0.05, head: "linear", noise: 0.1 } });
    assert.match(pinned.legend, /pinned: λ = 0\.05, student = tied/);
    assert.ok(Number(pinned.cell) > 0);
    assert.equal(csv[0].at(-1), "pinned_1_test");
    assert.equal(csv[1].at(-1), files.json.curve.points[0].errors.test);
    await page.close();
  },

  async "can be seen: lines have three times the contrast of the paper, and menus have room for their words"() {
    const page = await open(address);
    await complete(page);
    const found = await page.evaluate(() => {
      const style = getComputedStyle(document.documentElement), probe = document.querySelector("#charts .line");
      const luminance = (rgb) => rgb.map((value) => (value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4)).reduce((sum, value, i) => sum + value * [0.2126, 0.7152, 0.0722][i], 0);
      const read = (name) => style.getPropertyValue(name).trim().match(/[0-9a-f]{2}/gi).map((hex) => parseInt(hex, 16) / 255);
      const paper = read("--paper");
      probe.classList.add("faded");
      probe.style.transition = "none";
      const opacity = Number(getComputedStyle(probe).opacity);
      const contrast = ["--c1", "--c2", "--c3", "--c4", "--c5", "--c6"].map((name) => {
        const [a, b] = [luminance(read(name).map((value, i) => opacity * value + (1 - opacity) * paper[i])), luminance(paper)].sort((x, y) => y - x);
        return (a + 0.05) / (b + 0.05);
      });
      const cut = [...document.querySelectorAll("#controls select")].filter((select) => {
        const copy = select.cloneNode(true);
        copy.style.cssText = "position: absolute; width: auto";
        select.parentNode.append(copy);
        const wants = copy.offsetWidth;
        copy.remove();
        return wants > select.offsetWidth + 1;
      });
      return { opacity, contrast, cut: cut.map((select) => select.id) };
    });
    assert.ok(found.opacity < 1 && found.contrast.every((value) => value >= 3), JSON.stringify(found));
    assert.deepEqual(found.cut, []);
    await page.close();
  },

  async "fits a telephone"() {
    const page = await open(address, { width: 400, height: 800 });
    await settled(page);
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0);
    // A slider under the thumb moves a curve that can be seen.
    for (const law of ["attention", "icl"]) {
      await page.click(`[data-law=${law}]`);
      await complete(page);
      const hidden = await page.evaluate(async () => {
        const main = document.querySelector("main:not([hidden])"), chart = main.querySelector("figure svg[role=img]"), hidden = [];
        for (const range of main.querySelectorAll("input[type=range]:not(:disabled)")) {
          if (!range.offsetParent) continue;
          range.scrollIntoView({ block: "center" });
          await new Promise(requestAnimationFrame);
          const { top, bottom } = chart.getBoundingClientRect(), place = range.getBoundingClientRect();
          const above = document.elementFromPoint(place.x + place.width / 2, place.y + place.height / 2);
          if (!(top >= 0 && bottom <= innerHeight && above === range)) hidden.push(`${range.id}: chart from ${top} to ${bottom}, ${above?.outerHTML.slice(0, 60)}`);
        }
        return hidden;
      });
      assert.deepEqual(hidden, []);
    }
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
