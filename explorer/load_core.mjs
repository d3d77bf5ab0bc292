// The compiled library in node: the function that answers a question, both as text.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";

export const loadCore = async (glue, wasm) => {
  const createAttnlaw = createRequire(import.meta.url)(resolve(glue));
  const source = readFileSync(new URL("web/core.js", import.meta.url), "utf8");
  const startCore = new Function("createAttnlaw", `${source}; return startCore;`)(createAttnlaw);
  return startCore(await WebAssembly.compile(readFileSync(wasm)));
};
