// node scripts/run.mjs MODULE [ARGUMENT...]: sets the clone up, then runs a Python module of it in .venv.
import { spawn } from "node:child_process";

import { PYTHON, ROOT, setUp } from "./setup.mjs";

setUp();
const child = spawn(PYTHON, ["-m", ...process.argv.slice(2)], { cwd: ROOT, stdio: "inherit" });
// Ctrl+C reaches the child by itself; this process stays until the child has cleaned up.
process.on("SIGINT", () => {});
for (const signal of ["SIGTERM", "SIGHUP"]) {
  process.on(signal, () => child.kill(signal));
}
// npm, told to end, ends only the shell between itself and this process.
const parent = process.ppid;
const watch = setInterval(() => {
  if (process.ppid !== parent) {
    clearInterval(watch);
    child.kill("SIGTERM");
  }
}, 1000);
child.on("exit", (code, signal) => {
  clearInterval(watch);
  process.exitCode = code ?? (signal === "SIGINT" ? 130 : 1);
});
