/** Folders that are not trusted: what would write is refused before anything is asked for. */

import * as vscode from "vscode";

const MANAGE = "Manage Trust";

/** Whether to go on; where the folder is not trusted says so, with the way to trust it. */
export async function isTrusted(): Promise<boolean> {
  if (vscode.workspace.isTrusted) {
    return true;
  }
  const options = { modal: true, detail: "Nothing is merged, released or opened here until you trust it." };
  if ((await vscode.window.showWarningMessage("This folder is not trusted.", options, MANAGE)) === MANAGE) {
    await vscode.commands.executeCommand("workbench.trust.manage");
  }
  return false;
}
