// node bundle.mjs WASM GLUE RECORDER VERSION PAGE: the page in one file, from web/ and what the compiler made.
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const [wasm, glue, recorder, version, page] = process.argv.slice(2);
const web = join(dirname(fileURLToPath(import.meta.url)), "web");

// A script ends at this, wherever it stands.
const script = (path) => {
  const text = readFileSync(path, "utf8");
  if (/<\/script/i.test(text)) throw new Error(`${path} contains the end of a script`);
  return text;
};

const packed = (path) => gzipSync(readFileSync(path), { level: 9 }).toString("base64");

const parts = {
  version,
  "recorder.js": script(recorder),
  wasm: packed(wasm),
  glue: packed(glue),
};
const part = (name) => parts[name] ?? script(join(web, name));
const html = readFileSync(join(web, "page.html"), "utf8").replace(/@([\w.]+)@/g, (_, name) => part(name));
writeFileSync(page, html);
