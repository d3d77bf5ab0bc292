// node page_test.mjs PROGRAM BROWSER: report pages of the program in a browser (chromium or firefox) as readers use them: legend,
// zoom, export, print, in windows of a telephone and of a desk, light and dark. ATTNLAW_PICTURES=FOLDER keeps pictures.
import assert from "node:assert/strict";
import { execFileSync, execSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const { default: puppeteer } = await import(createRequire(new URL("../explorer/package.json", import.meta.url)).resolve("puppeteer-core"));
const [program, browserName = "chromium"] = process.argv.slice(2);
const firefox = browserName === "firefox";
const folder = mkdtempSync(join(tmpdir(), "attnlaw-pages-"));
const pictures = process.env.ATTNLAW_PICTURES;
let browser;
const launch = () =>
  puppeteer.launch({
    browser: firefox ? "firefox" : "chrome",
    executablePath: execSync(`command -v ${firefox ? "firefox-esr" : "chromium"}`, { encoding: "utf8" }).trim(),
    headless: true,
    userDataDir: join(folder, "profile"),
    args: firefox ? [] : ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking"],
    env: { ...process.env, HOME: folder },
  });

// A page of each kind of chart that people click in. Twelve series are the most that a chart draws.
const pages = {
  curves: ["solve", "--alpha", "0.05:2:12:log", "--lambda", "0.01,0.02,0.05,0.1,0.2,0.5", "--student", "tied,direct", "--head", "linear"],
  experiments: ["simulate", "--alpha", "0.3,0.6,0.9", "--lambda", "0.05,0.1", "--d", "16", "--instances", "3", "--head", "linear"],
  ridges: ["spectrum", "--alpha", "0.2:1:5", "--lambda", "0.1", "--head", "linear"],
  spectrum: ["spectrum", "--alpha", "0.5", "--lambda", "0.1", "--head", "linear", "--d", "24", "--instances", "2"],
  draws: ["lofi", "--target", "square", "--d", "30", "--n", "1000,4000"],
  phases: ["thresholds", "--head", "linear", "--lambda", "0.01", "--alpha-range", "0.05,1,12", "--kappa-range", "0.1,1,12"],
};
const fileOf = (name) => join(folder, `${name}.html`);

const complaints = [];
const open = async (name, { width, dark = false }) => {
  const page = await browser.newPage();
  await page.setViewport({ width, height: 1000 });
  // Firefox takes no media feature by WebDriver BiDi: there pages are looked at in the light scheme.
  if (!firefox) await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: dark ? "dark" : "light" }]);
  page.on("console", (message) => ["error", "warn"].includes(message.type()) && complaints.push(`${name}: ${message.text()}`));
  page.on("pageerror", (error) => complaints.push(`${name}: ${error}`));
  page.on("request", (request) => /^(blob|data|file):/.test(request.url()) || complaints.push(`${name}: asks for ${request.url()}`));
  await page.goto(pathToFileURL(fileOf(name)).href);
  await page.bringToFront();
  await page.waitForSelector("html[data-ready]", { timeout: 60000 });
  if (pictures) await page.screenshot({ path: join(pictures, `${browserName}-${name}-${width}${dark ? "-dark" : ""}.png`), fullPage: true });
  return page;
};

// Texts of the charts that reach beyond the window, and pairs of names of a legend that stand on one another.
const misplaced = (page) =>
  page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    const boxes = (selector, root = document) => [...root.querySelectorAll(selector)].map((text) => ({ name: text.textContent, ...text.getBoundingClientRect().toJSON() })).filter((box) => box.width > 0);
    const beyond = boxes(".chart svg text").filter((box) => box.left < -1 || box.right > width + 1);
    // Boxes are as high as the font may need, which is more than its letters are.
    const meet = (a, b) => a.left + 1 < b.right && b.left + 1 < a.right && a.top + 4 < b.bottom && b.top + 4 < a.bottom;
    const over = [...document.querySelectorAll(".chart svg")].flatMap((svg) => {
      const names = boxes(".role-legend-label text", svg);
      return names.flatMap((a, i) => names.slice(i + 1).filter((b) => meet(a, b)).map((b) => `${a.name} on ${b.name}`));
    });
    return { beyond: beyond.map((box) => box.name), over, sideways: document.documentElement.scrollWidth - width };
  });

// The texts of the files that the buttons of a page save, by name.
const savedFiles = (page) =>
  page.evaluate(() => {
    const saved = {};
    let name, text;
    window.Blob = class extends Blob { constructor(parts, options) { super(parts, options); text = parts.join(""); } };
    HTMLAnchorElement.prototype.click = function () { name = this.download; };
    for (const button of document.querySelectorAll("button.save")) {
      button.click();
      saved[name] = text;
    }
    return saved;
  });

// What a page shows: colours, the charts that are drawn, and what paper has no use for.
const shown = (page) =>
  page.evaluate(() => ({
    paper: getComputedStyle(document.documentElement).backgroundColor,
    ink: getComputedStyle(document.body).color,
    forScreens: [...document.querySelectorAll(".vega-embed summary, figure details, .save, .readout, .link, .hint")].filter((element) => getComputedStyle(element).display !== "none").length,
    charts: document.querySelectorAll(".chart").length,
    drawn: document.querySelectorAll(".chart svg.marks").length,
  }));

// The fills of the numbers at axes, from black (0) to white (255), are all of them dark.
const darkNumbers = () => {
  const numbers = [...document.querySelectorAll(".chart .role-axis-label text")];
  return numbers.length > 0 && numbers.every((text) => Math.max(...getComputedStyle(text).fill.match(/\d+/g).map(Number).slice(0, 3)) < 128);
};

const tests = {
  async "stands inside windows of 400 and 1300 pixels, light and dark"() {
    for (const name of Object.keys(pages))
      for (const width of [400, 1300])
        for (const dark of firefox ? [false] : [false, true]) {
          const page = await open(name, { width, dark });
          assert.deepEqual(await misplaced(page), { beyond: [], over: [], sideways: 0 }, `${name} at ${width}`);
          assert.ok(await page.$(".chart svg.marks"), `${name} has no chart`);
          await page.close();
        }
  },

  async "has a legend of twelve series, of which one is singled out"() {
    for (const width of [400, 1300]) {
      const page = await open("curves", { width });
      const names = await page.$$eval(".chart", (charts) => charts.map((chart) => chart.querySelectorAll(".role-legend-label text").length));
      assert.ok(Math.max(...names) >= 12, `legends of ${names} names`);
      const faint = () => page.$$eval('.chart .role-mark [opacity="0.08"]', (shapes) => shapes.length);
      assert.equal(await faint(), 0);
      const label = await page.$(".chart .role-legend-label text");
      await label.scrollIntoView();
      await label.click();
      await page.waitForFunction(() => document.querySelectorAll('.chart .role-mark [opacity="0.08"]').length >= 11, { timeout: 20000 });
      await page.close();
    }
  },

  async "zooms with Shift and the wheel, and a double click goes back"() {
    const page = await open("curves", { width: 1300 });
    const extent = () => page.$eval(".chart", (chart) => chart.view.scale("x").domain().reduce((first, last) => last / first));
    const whole = await extent();
    const plot = await page.$(".chart svg path.background");
    await plot.scrollIntoView();
    const box = await plot.boundingBox();
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    // WebDriver BiDi sends the wheel without the keys that are held: the page is told of it as the browser tells it.
    await plot.evaluate((shape, x, y) => shape.dispatchEvent(new WheelEvent("wheel", { clientX: x, clientY: y, deltaY: -240, shiftKey: true, bubbles: true, cancelable: true })), box.x + box.width / 2, box.y + box.height / 2);
    await page.waitForFunction((before) => document.querySelector(".chart").view.scale("x").domain().reduce((first, last) => last / first) < 0.9 * before, { timeout: 20000 }, whole);
    await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2, { count: 2 });
    await page.waitForFunction((before) => Math.abs(document.querySelector(".chart").view.scale("x").domain().reduce((first, last) => last / first) - before) < 1e-6 * before, { timeout: 20000 }, whole);
    await page.close();
  },

  async "gives every chart as SVG, PNG and CSV, and its problem"() {
    const page = await open("curves", { width: 1300 });
    const found = await page.evaluate(async () => {
      const pause = () => new Promise((done) => setTimeout(done, 50));
      const links = [];
      for (const link of document.querySelectorAll(".vega-actions a[download]")) {
        link.dispatchEvent(new MouseEvent("mousedown"));
        for (let i = 0; i < 200 && link.getAttribute("href") === "#"; ++i) await pause();
        links.push(link.href.match(/^(blob|data:[a-z/+]+)?/)[0]);
      }
      return { charts: document.querySelectorAll(".chart").length, links };
    });
    assert.equal(found.links.filter((type) => /^blob|svg/.test(type)).length, found.charts, `${found.links}`);
    assert.equal(found.links.filter((type) => /png/.test(type)).length, found.charts, `${found.links}`);
    const saved = await savedFiles(page);
    const csv = saved["attnlaw-chart-1.csv"];
    assert.match(csv.slice(0, 200), /^series,alpha,theory,experiment,standard_error,figure,student,lambda,target\r\n/);
    // A line ends with CR LF.
    assert.ok(csv.trimEnd().split("\r\n").length > 12 * 12, `${csv.length} bytes of CSV`);
    assert.match(saved["study.toml"], /alpha/);
    await page.close();
  },

  async "says what a diagram is of, and what ratios are taken to"() {
    const diagram = await open("phases", { width: 1300 });
    const { "problem.toml": problem } = await savedFiles(diagram);
    assert.match(problem, /^# Over the diagram alpha = \[0\.05,/);
    assert.equal(problem.match(/^#   wishart:[\d.]+ [\da-f]{16}$/gm).length, 12, problem);
    await diagram.close();
    const experiments = await open("experiments", { width: 1300 });
    const { "attnlaw-chart-2.csv": ratios } = await savedFiles(experiments);
    for (const line of ratios.trim().split("\r\n").slice(1)) assert.match(line, /^"?[^"]*"?,[\d.]+,1,/);
    await experiments.close();
  },

  async "prints all charts on white paper, without what is for the screen"() {
    for (const name of Object.keys(pages)) {
      const page = await open(name, { width: 1300, dark: true });
      // WebDriver BiDi emulates no medium: of Firefox there is the PDF alone.
      if (firefox) console.log(`${browserName}: ${name}: its look on paper is skipped, as no medium can be emulated`);
      else {
        // A4 in pixels of CSS, with the narrowest margins of a printer: paper does not scroll.
        const screen = await shown(page);
        assert.notEqual(screen.paper, "rgb(255, 255, 255)", `${name} is dark on the screen`);
        assert.ok(screen.forScreens > 0 && screen.charts > 0, `${name}: ${JSON.stringify(screen)}`);
        assert.equal(await page.evaluate(darkNumbers), false, `${name} has light numbers on the screen`);
        await page.emulateMediaType("print");
        await page.setViewport({ width: 750, height: 1060 });
        assert.equal(await page.evaluate(() => Math.max(0, document.documentElement.scrollWidth - 750)), 0, `${name} is wider than paper`);
        // A browser that prints tells the page so first; one that emulates the medium does not.
        await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
        await page.waitForFunction(darkNumbers, { timeout: 20000 });
        assert.deepEqual(await shown(page), { paper: "rgb(255, 255, 255)", ink: "rgb(28, 30, 33)", forScreens: 0, charts: screen.charts, drawn: screen.charts }, name);
        await page.evaluate(() => dispatchEvent(new Event("afterprint")));
        await page.emulateMediaType(null);
      }
      const pdf = await page.pdf({ format: "a4" });
      assert.ok(pdf.length > 20000, `${name}: ${pdf.length} bytes`);
      assert.equal(Buffer.from(pdf.slice(0, 5)).toString(), "%PDF-");
      if (pictures) execFileSync("tee", [join(pictures, `${browserName}-${name}.pdf`)], { input: pdf, stdio: ["pipe", "ignore", "inherit"] });
      await page.close();
    }
  },
};

let failed = 0;
const only = process.env.ATTNLAW_PAGE_ONLY;
try {
  for (const [name, options] of Object.entries(pages)) execFileSync(resolve(program), [...options, "--quiet", "--html", fileOf(name)]);
  browser = await launch();
  for (const name of Object.keys(pages)) assert.ok(statSync(fileOf(name)).size <= 2e6, `${name} has more than 2 MB`);
  for (const [name, test] of Object.entries(tests)) {
    if (only && !name.includes(only)) continue;
    try {
      await test();
      assert.deepEqual(complaints.splice(0), []);
      console.log(`${browserName}: ${name}: passed`);
    } catch (error) {
      ++failed;
      console.log(`${browserName}: ${name}: FAILED\n${error.stack}`);
    }
  }
} finally {
  await browser?.close();
  rmSync(folder, { recursive: true, force: true });
}
process.exit(failed ? 1 : 0);
