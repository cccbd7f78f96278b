/** The server of the universal package: put up once for a Python that is there, from the wheels inside and what pip brings. */

import * as fs from "node:fs/promises";
import * as path from "node:path";
import * as vscode from "vscode";

import { call, findPython, isThere, isWhole, PROGRAMS } from "./python";

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
  if (known !== undefined && (await isWhole(known))) {
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
      const own = path.join(place, PROGRAMS.folder);
      const from = ["--no-input", "--disable-pip-version-check", "--find-links", wheels, `worktree-sidecar[symbols]==${version}`];
      await call(path.join(own, PROGRAMS.python), ["-m", "pip", "install", "--quiet", ...from]);
      const server = path.join(own, PROGRAMS.server);
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
