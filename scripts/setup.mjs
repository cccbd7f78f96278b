// Makes a bare clone ready: checks Node, git and Python, then fills .venv and node_modules when they are stale.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

export const ROOT = path.dirname(import.meta.dirname);
const WINDOWS = process.platform === "win32";
const VENV = path.join(ROOT, ".venv");
export const PYTHON = path.join(VENV, ...(WINDOWS ? ["Scripts", "python.exe"] : ["bin", "python"]));
const NEEDED = { node: [20, 0], git: [2, 38], python: [3, 11] };

/** Sets everything up, or says in one sentence what is missing and exits with status 1. */
export function setUp() {
  requireVersion("Node.js", process.versions.node, NEEDED.node);
  requireVersion("git", output("git", ["--version"]), NEEDED.git);
  makeVenv();
  whenStale(path.join(VENV, ".set-up"), ["pyproject.toml"], "Python packages", () =>
    run(PYTHON, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--editable", ".[dev]"]),
  );
  whenStale(path.join(ROOT, "node_modules", ".set-up"), ["package-lock.json"], "Node packages", () =>
    npm(["ci", "--no-audit", "--no-fund", "--loglevel=error"]),
  );
}

function makeVenv() {
  if (atLeast(pythonVersion(PYTHON, []), NEEDED.python)) {
    return;
  }
  const [command, prefix] = findPython();
  announce("virtual environment in .venv", () => run(command, [...prefix, "-m", "venv", "--clear", VENV]));
}

function findPython() {
  const names = ["python3", "python", "python3.14", "python3.13", "python3.12", "python3.11"];
  const candidates = [...names.map((name) => [name, []]), ["py", ["-3"]]];
  const found = candidates.find(([command, prefix]) => atLeast(pythonVersion(command, prefix), NEEDED.python));
  return found ?? fail("Python 3.11 or newer is needed, and none is on PATH. Install it, then try again.");
}

function pythonVersion(command, prefix) {
  return output(command, [...prefix, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]);
}

function requireVersion(what, text, needed) {
  if (!text) {
    fail(`${what} ${needed.join(".")} or newer is needed, and it is not on PATH. Install it, then try again.`);
  }
  if (!atLeast(text, needed)) {
    fail(`${what} ${needed.join(".")} or newer is needed; this is ${text.trim()}.`);
  }
}

function atLeast(text, [major, minor]) {
  const match = /(\d+)\.(\d+)/.exec(text ?? "");
  return match !== null && (+match[1] > major || (+match[1] === major && +match[2] >= minor));
}

function whenStale(stamp, inputs, what, make) {
  const hash = createHash("sha256");
  for (const input of inputs) {
    hash.update(readFileSync(path.join(ROOT, input)));
  }
  const wanted = hash.digest("hex");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) {
    return;
  }
  announce(what, make);
  writeFileSync(stamp, wanted);
}

function announce(what, make) {
  const start = Date.now();
  console.log(`… ${what}`);
  make();
  console.log(`✓ ${what} (${((Date.now() - start) / 1000).toFixed(1)} s)`);
}

function npm(args) {
  const script = process.env.npm_execpath;
  return script ? run(process.execPath, [script, ...args]) : run("npm", args, { shell: WINDOWS });
}

function run(command, args, options = {}) {
  const done = spawnSync(command, args, { cwd: ROOT, encoding: "utf8", maxBuffer: 2 ** 28, ...options });
  if (done.status !== 0) {
    const said = done.error?.message ?? `${done.stdout}${done.stderr}`;
    fail(`${said.trimEnd()}\nThis failed: ${[command, ...args].join(" ")}`);
  }
}

function output(command, args) {
  const { status, stdout } = spawnSync(command, args, { encoding: "utf8" });
  return status === 0 ? stdout : undefined;
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
