// Bundles the extension with its libraries into the one file that the editor loads; with --tests, the tests.
import process from "node:process";

import { build } from "esbuild";

const isForTests = process.argv.includes("--tests");
const what = isForTests
  ? { entryPoints: ["tests/*.test.ts"], outdir: "out/tests" }
  : { entryPoints: ["src/extension.ts"], outfile: "out/extension.js", minify: true };

await build({
  ...what,
  absWorkingDir: import.meta.dirname,
  bundle: true,
  platform: "node",
  target: "node20",
  format: "cjs",
  external: ["vscode"],
  legalComments: "none",
  logLevel: "warning",
});
