// The compiled library, and the code of the page, in node.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const here = dirname(fileURLToPath(import.meta.url));
const web = join(here, "../../explorer/web");

// The function that answers a question, both as text. `folder` has what the compiler made.
export const loadCore = async (folder) => {
  const createAttnlaw = createRequire(import.meta.url)(join(folder, "attnlaw_explorer.js"));
  const module = await WebAssembly.compile(readFileSync(join(folder, "attnlaw_explorer.wasm")));
  const startCore = new Function("createAttnlaw", `${readFileSync(join(web, "core.js"), "utf8")}; return startCore;`)(createAttnlaw);
  return startCore(module);
};
