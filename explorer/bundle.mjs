// node bundle.mjs WASM GLUE RECORDER VERSION PAGE: the page in one file, from web/, what the compiler made, and what that answers
// to the questions that every page begins with.
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { loadCore } from "./load_core.mjs";

const [wasm, glue, recorder, version, page] = process.argv.slice(2);
const web = join(dirname(fileURLToPath(import.meta.url)), "web");

// What is to stand in an element as it is. A script ends at this, wherever it stands.
const readScript = (path) => {
  const text = readFileSync(path, "utf8");
  if (/<\/script|<!--/i.test(text)) throw new Error(`${path} contains the end of a script`);
  return text;
};
// A file of web/, without its comments and indentation: a seventh of it.
const script = (path) => readScript(path).replace(/^\s+/gm, "").replace(/^\/\/.*\n/gm, "").replace(/ {2}\/\/ .*$/gm, "");

// Bytes as text that stands in a script and in an attribute as it is: 13 bits in two of 91 characters, 8 % less than base64.
const alphabet = Array.from({ length: 94 }, (_, i) => String.fromCharCode(33 + i)).filter((character) => !'<&"'.includes(character)).join("");
const dense = (bytes) => {
  let text = "", bits = 0, count = 0;
  const pair = () => {
    const value = bits & 8191;
    text += alphabet[value % 91] + alphabet[Math.floor(value / 91)];
    bits >>= 13;
    count -= 13;
  };
  for (const byte of bytes) {
    bits |= byte << count;
    count += 8;
    if (count >= 13) pair();
  }
  if (count > 0) pair();
  return text;
};
// By zopfli, which takes ten seconds and makes 5 % less of it, or where that is not installed by zlib.
const gzip = (path) => {
  const { status, stdout } = spawnSync("zopfli", ["-c", "--i15", path], { maxBuffer: 1 << 26 });
  return status === 0 ? stdout : gzipSync(readFileSync(path), { level: 9 });
};
const packed = (path) => {
  const bytes = gzip(path);
  return `<script type="text/plain" id="wasm" data-bytes="${bytes.length}" data-alphabet="${alphabet}">${dense(bytes)}</script>`;
};

// The page need not wait for the library with its controls, and what can be chosen at its first problem.
const answer = await loadCore(glue, wasm), first = JSON.parse(readFileSync(join(web, "presets.json"), "utf8"))[0].problem;
const asked = [{ ask: "describe" }, { ask: "describe_in_context" }, { ask: "check", problem: first }];
const known = Object.fromEntries(asked.map((question) => [question.ask, JSON.parse(answer(JSON.stringify(question)))]));
for (const [ask, { error }] of Object.entries(known)) if (error) throw new Error(`${ask}: ${error}`);

const parts = {
  version,
  "recorder.js": script(recorder),
  wasm: packed(wasm),
  glue: readScript(glue),
  known: JSON.stringify(known).replaceAll("<", "\\u003c"),
};
const part = (name) => parts[name] ?? script(join(web, name));
const html = readFileSync(join(web, "page.html"), "utf8").replace(/@([\w.]+)@/g, (_, name) => part(name));
writeFileSync(page, html);
