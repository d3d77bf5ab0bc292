// node sobol_table.mjs HEADER NEW_HEADER: Boost's table of Sobol points for fewer dimensions. 3667 of them are a sixth of the page;
// theory takes two for every score, at most 512 (16 queries by 16 keys).
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

const polynomials = 600;
const [header, made] = process.argv.slice(2);
let arrays = 0;
const text = readFileSync(header, "utf8")
  .replace(/(#define BOOST_RANDOM_SOBOL_MAX_DIMENSION) \d+/, `$1 ${polynomials + 1}`)
  .replace(/(\bsobol_(\w+)\[[^\]]*\] = \{)([^}]*)\}/g, (_, begin, name, numbers) => {
    ++arrays;
    const perPolynomial = name === "minit" ? 15 : 1;
    return `${begin}${numbers.split(",").slice(0, perPolynomial * polynomials).join(",")}}`;
  });
if (arrays !== 2 || !text.includes(`DIMENSION ${polynomials + 1}`)) throw new Error(`${header} is not the table that is known`);
mkdirSync(dirname(made), { recursive: true });
writeFileSync(made, text);
