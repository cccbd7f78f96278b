/** Pythons of this machine: one to put up a server with, and whether a server that was put up still has its own. */

import { execFile } from "node:child_process";
import * as fs from "node:fs/promises";
import * as path from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const WINDOWS = process.platform === "win32";
const PYTHONS = ["python3.14", "python3.13", "python3.12", "python3.11", "python3", "python"];
const OLD_ENOUGH = "import sys; sys.exit(sys.version_info < (3, 11))";
const MOST_MILLISECONDS = 600_000;

/** The folder of an environment that its programs are in, and their names. */
export const PROGRAMS = WINDOWS
  ? ({ folder: "Scripts", python: "python.exe", server: "sidecar.exe" } as const)
  : ({ folder: "bin", python: "python", server: "sidecar" } as const);

/** The first Python on PATH that is new enough. */
export async function findPython(): Promise<string | undefined> {
  const folders = (process.env["PATH"] ?? "").split(path.delimiter).filter((entry) => path.isAbsolute(entry));
  for (const name of PYTHONS) {
    for (const folder of folders) {
      const file = path.join(folder, WINDOWS ? `${name}.exe` : name);
      if ((await isThere(file)) && (await succeeds(file, OLD_ENOUGH))) {
        return file;
      }
    }
  }
  return undefined;
}

/** Whether a server runs by the Python that it was put up for: that may have been removed, or replaced by a newer one. */
export async function isWhole(server: string): Promise<boolean> {
  return (await isThere(server)) && (await succeeds(path.join(path.dirname(server), PROGRAMS.python), "import sidecar"));
}

export async function call(command: string, args: readonly string[]): Promise<void> {
  await run(command, [...args], { timeout: MOST_MILLISECONDS, maxBuffer: 2 ** 26 });
}

export async function isThere(file: string): Promise<boolean> {
  return await fs.access(file).then(() => true, () => false);
}

async function succeeds(python: string, code: string): Promise<boolean> {
  return await call(python, ["-I", "-c", code]).then(() => true, () => false);
}
