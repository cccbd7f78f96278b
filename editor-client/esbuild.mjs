// Bundles the extension with its libraries into the one file that the editor loads, and the overlap map's page beside it;
// with --tests, the tests.
import process from "node:process";

import { build } from "esbuild";

const isForTests = process.argv.includes("--tests");
const what = isForTests
  ? { entryPoints: ["tests/*.test.ts"], outdir: "out/tests" }
  : { entryPoints: ["src/extension.ts"], outfile: "out/extension.js", minify: true };

const common = { absWorkingDir: import.meta.dirname, bundle: true, legalComments: "none", logLevel: "warning" };

await build({ ...common, ...what, platform: "node", target: "node20", format: "cjs", external: ["vscode"] });
if (!isForTests) {
  await build({ ...common, entryPoints: ["map/map.ts", "map/map.css"], outdir: "out", target: "chrome122", format: "iife", minify: true });
}
