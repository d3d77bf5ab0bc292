// node bundle.mjs WASM GLUE RECORDER VERSION PAGE: the page in one file, from web/ and what the compiler made.
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const [wasm, glue, recorder, version, page] = process.argv.slice(2);
const web = join(dirname(fileURLToPath(import.meta.url)), "web");

// A file of web/, without its comments and indentation: a seventh of it. A script ends at this, wherever it stands.
const script = (path) => {
  const text = readFileSync(path, "utf8");
  if (/<\/script/i.test(text)) throw new Error(`${path} contains the end of a script`);
  return text.replace(/^\s+/gm, "").replace(/^\/\/.*\n/gm, "").replace(/ {2}\/\/ .*$/gm, "");
};

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
const packed = (id, path) => {
  const bytes = gzip(path);
  return `<script type="text/plain" id="${id}" data-bytes="${bytes.length}" data-alphabet="${alphabet}">${dense(bytes)}</script>`;
};

const parts = {
  version,
  "recorder.js": script(recorder),
  wasm: packed("wasm", wasm),
  glue: packed("glue", glue),
};
const part = (name) => parts[name] ?? script(join(web, name));
const html = readFileSync(join(web, "page.html"), "utf8").replace(/@([\w.]+)@/g, (_, name) => part(name));
writeFileSync(page, html);
