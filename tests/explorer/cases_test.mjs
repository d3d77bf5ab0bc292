// node cases_test.mjs WASM_FOLDER NATIVE_PROGRAM: every case of cases.json by WebAssembly and by the native library: the same
// figures up to the tolerance of the case, within its time.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { loadCore } from "../../explorer/load_core.mjs";

const [folder, native] = process.argv.slice(2);
const cases = JSON.parse(readFileSync(new URL("cases.json", import.meta.url), "utf8"));

const run = spawnSync(native, { input: cases.map(({ question }) => JSON.stringify(question)).join("\n") + "\n", encoding: "utf8", maxBuffer: 1 << 28 });
if (run.status !== 0) throw new Error(`the native program ended with ${run.status}: ${run.stderr}`);
const lines = run.stdout.trim().split("\n");

// What is not a figure of the problem: times, and rounding errors, which another machine has others of.
const skipped = new Set(["seconds", "residual", "law_error", "iterations", "sampling_error"]);

// The largest relative difference, and where it is. The same law may have other nodes: of a density its ends are compared, and
// its height, to a rise between nodes (core/answer.cc) where the two have other numbers of them.
const kFineRise = 1 / 50;
const difference = (a, b, where = "") => {
  if (typeof a === "number" && typeof b === "number") {
    const scale = Math.max(Math.abs(a), Math.abs(b));
    return { size: scale < 1e-12 ? 0 : Math.abs(a - b) / scale, where };
  }
  if (Array.isArray(a) && Array.isArray(b) && /^\/(density|weights|target)\/(s|density)$/.test(where)) {
    const ends = (list) => [Math.min(...list), Math.max(...list)];
    if (a.length === 0 || b.length === 0) return { size: a.length === b.length ? 0 : Infinity, where };
    if (where.endsWith("/s")) return difference(ends(a), ends(b), `${where}/ends`);
    const height = difference(ends(a)[1], ends(b)[1], `${where}/height`);
    return a.length === b.length || height.size > kFineRise ? height : { size: 0, where };
  }
  if (a !== null && b !== null && typeof a === "object" && typeof b === "object") {
    let worst = { size: 0, where };
    for (const name of new Set([...Object.keys(a), ...Object.keys(b)])) {
      if (skipped.has(name)) continue;
      const found = difference(a[name], b[name], `${where}/${name}`);
      if (!(found.size <= worst.size)) worst = found;
    }
    return worst;
  }
  return { size: a === b ? 0 : Infinity, where: `${where}: ${a} and ${b}` };
};

const answer = await loadCore(...["js", "wasm"].map((kind) => join(folder, `attnlaw_explorer.${kind}`)));
// As in a page, the first answer compiles what it needs.
answer(JSON.stringify(cases[0].question));
let failures = 0;
console.log("case                                      native      wasm  largest difference");
for (const [i, { name, question, tolerance, limit, refused }] of cases.entries()) {
  const begin = performance.now();
  const found = JSON.parse(answer(JSON.stringify(question)));
  const milliseconds = performance.now() - begin;
  const expected = JSON.parse(lines[2 * i]);
  const { size, where } = refused ? { size: found.error?.includes(refused) ? 0 : Infinity, where: found.error } : difference(found, expected);
  const complaints = [];
  // Two equal errors are no agreement.
  if (!refused && (found.error !== undefined || expected.error !== undefined)) complaints.push(`ends with an error: ${found.error ?? expected.error}`);
  if (!(size <= tolerance)) complaints.push(`differs by ${size} at ${where}, accepted ${tolerance}`);
  if (milliseconds > limit) complaints.push(`takes ${milliseconds.toFixed(0)} ms, accepted ${limit}`);
  failures += complaints.length;
  console.log(`${name.padEnd(38)} ${Number(lines[2 * i + 1]).toFixed(1).padStart(6)} ms ${milliseconds.toFixed(1).padStart(6)} ms  ${size.toExponential(1)}${complaints.map((text) => `  FAILED: ${text}`).join("")}`);
}
process.exitCode = failures ? 1 : 0;
