/** Which server runs: the one of the setting, the bundled one, or `sidecar` on PATH. */

import * as fs from "node:fs/promises";
import * as os from "node:os";
import * as path from "node:path";
import * as vscode from "vscode";

import { SECTION } from "./settings";
import { serverOfWheels } from "./universal";

const EXECUTABLE = process.platform === "win32" ? "sidecar.exe" : "sidecar";

/** The path of the server to start, or undefined when there is none. Every step is written to the log. */
export async function resolveServer(
  context: vscode.ExtensionContext,
  log: vscode.LogOutputChannel,
): Promise<string | undefined> {
  const trusted = vscode.workspace.isTrusted;
  const found =
    (trusted ? await fromSetting(log) : undefined) ??
    (await bundled(context, log)) ??
    (await serverOfWheels(context, log, trusted)) ??
    (trusted ? await onPath(log) : undefined);
  if (found !== undefined) {
    offerInTerminals(context, found);
  } else {
    log.error(trusted ? "Server: none found." : "Server: none found. In an untrusted folder only the bundled one may run.");
  }
  return found;
}

/** Has terminals of this editor find the command `sidecar`, after any that is installed there. */
function offerInTerminals({ environmentVariableCollection }: vscode.ExtensionContext, server: string): void {
  environmentVariableCollection.description = "The command `sidecar`";
  environmentVariableCollection.append("PATH", `${path.delimiter}${path.dirname(server)}`);
}

async function fromSetting(log: vscode.LogOutputChannel): Promise<string | undefined> {
  const setting = `${SECTION}.server.path`;
  const value = vscode.workspace.getConfiguration(SECTION).get("server.path", "").trim();
  if (value === "") {
    log.info(`Server: ${setting} is not set.`);
    return undefined;
  }
  const file = value.startsWith("~") ? path.join(os.homedir(), value.slice(1)) : value;
  if (path.isAbsolute(file) && (await isExecutable(file))) {
    log.info(`Server: using ${file}, from ${setting}.`);
    return file;
  }
  const problem = path.isAbsolute(file) ? "is no program that can be run" : "is no absolute path";
  log.warn(`Server: ${setting} is "${value}", which ${problem}.`);
  void vscode.window.showWarningMessage(`${setting} is "${value}", which ${problem}. The bundled server runs instead.`);
  return undefined;
}

async function bundled(
  context: vscode.ExtensionContext,
  log: vscode.LogOutputChannel,
): Promise<string | undefined> {
  const file = context.asAbsolutePath(path.join("server", EXECUTABLE));
  if (await isExecutable(file)) {
    log.info(`Server: using the bundled one, ${file}.`);
    return file;
  }
  log.info("Server: this extension was built without a bundled one.");
  return undefined;
}

async function onPath(log: vscode.LogOutputChannel): Promise<string | undefined> {
  for (const directory of (process.env["PATH"] ?? "").split(path.delimiter).filter((entry) => path.isAbsolute(entry))) {
    const file = path.join(directory, EXECUTABLE);
    if (await isExecutable(file)) {
      log.info(`Server: using ${file}, found on PATH.`);
      return file;
    }
  }
  log.info(`Server: there is no ${EXECUTABLE} on PATH.`);
  return undefined;
}

async function isExecutable(file: string): Promise<boolean> {
  try {
    await fs.access(file, fs.constants.X_OK);
    return (await fs.stat(file)).isFile();
  } catch {
    return false;
  }
}
