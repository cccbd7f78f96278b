/** The server of the universal package: put up once for a Python that is there, from the wheels inside and what pip brings. */

import { execFile } from "node:child_process";
import * as fs from "node:fs/promises";
import * as path from "node:path";
import { promisify } from "node:util";
import * as vscode from "vscode";

const run = promisify(execFile);
const WINDOWS = process.platform === "win32";
const PYTHONS = ["python3.14", "python3.13", "python3.12", "python3.11", "python3", "python"];
const OLD_ENOUGH = "import sys; sys.exit(sys.version_info < (3, 11))";
const MOST_MILLISECONDS = 600_000;

/** The path of the server, which is put up when it is not there yet; undefined when this is another package, or it can't be. */
export async function serverOfWheels(
  context: vscode.ExtensionContext,
  log: vscode.LogOutputChannel,
  mayInstall: boolean,
): Promise<string | undefined> {
  const wheels = context.asAbsolutePath("wheels");
  if (!(await isThere(wheels))) {
    return undefined;
  }
  const { version } = context.extension.packageJSON as { version: string };
  const home = context.globalStorageUri.fsPath;
  const pointer = path.join(home, `server-${version}.txt`);
  const known = await fs.readFile(pointer, "utf8").catch(() => undefined);
  if (known !== undefined && (await isThere(known))) {
    log.info(`Server: using ${known}, which was put up from the wheels inside.`);
    return known;
  }
  const python = mayInstall ? await findPython() : undefined;
  if (python === undefined) {
    log.error(mayInstall ? "Server: Python 3.11 or newer is needed, and none is on PATH." : "Server: it is put up once a folder is trusted.");
    return undefined;
  }
  const options = { location: vscode.ProgressLocation.Window, title: "Worktree Sidecar puts up its server, once" };
  return await vscode.window.withProgress(options, async () => {
    const place = path.join(home, `server-${version}-${process.pid}`);
    try {
      log.info(`Server: putting it up in ${place} for ${python}.`);
      await fs.rm(place, { recursive: true, force: true });
      await fs.mkdir(home, { recursive: true });
      await call(python, ["-m", "venv", place]);
      const own = path.join(place, WINDOWS ? "Scripts" : "bin");
      const from = ["--no-input", "--disable-pip-version-check", "--find-links", wheels, `worktree-sidecar==${version}`];
      await call(path.join(own, WINDOWS ? "python.exe" : "python"), ["-m", "pip", "install", "--quiet", ...from]);
      const server = path.join(own, WINDOWS ? "sidecar.exe" : "sidecar");
      await fs.writeFile(`${pointer}.new`, server);
      await fs.rename(`${pointer}.new`, pointer);
      return server;
    } catch (error) {
      log.error(error instanceof Error ? error : String(error));
      await fs.rm(place, { recursive: true, force: true });
      return undefined;
    }
  });
}

async function findPython(): Promise<string | undefined> {
  const folders = (process.env["PATH"] ?? "").split(path.delimiter).filter((entry) => path.isAbsolute(entry));
  for (const name of PYTHONS) {
    for (const folder of folders) {
      const file = path.join(folder, WINDOWS ? `${name}.exe` : name);
      if ((await isThere(file)) && (await run(file, ["-c", OLD_ENOUGH]).then(() => true, () => false))) {
        return file;
      }
    }
  }
  return undefined;
}

async function call(command: string, args: readonly string[]): Promise<void> {
  await run(command, [...args], { timeout: MOST_MILLISECONDS, maxBuffer: 2 ** 26 });
}

async function isThere(file: string): Promise<boolean> {
  return await fs.access(file).then(() => true, () => false);
}
