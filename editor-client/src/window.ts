/** The editor's windows: what is unsaved in them, and folders that get one of their own. */

import * as vscode from "vscode";

import { within, type Worktree } from "./picture";

/** Whether to go on; offers to save what is open and unsaved in the worktree that is meant. */
export async function saveFirst(worktree: Worktree | undefined): Promise<boolean> {
  const inside = ({ uri }: vscode.TextDocument): boolean =>
    worktree !== undefined && uri.scheme === "file" && within(uri.fsPath, worktree.path);
  const unsaved = vscode.workspace.textDocuments.filter((document) => document.isDirty && inside(document));
  if (worktree === undefined || unsaved.length === 0) {
    return true;
  }
  const what = unsaved.length === 1 ? "A file is" : `${unsaved.length} files are`;
  const answer = await vscode.window.showWarningMessage(
    `${what} not saved in ${worktree.name}.`,
    { modal: true, detail: "What is not saved does not take part." },
    "Save and Continue",
  );
  if (answer === undefined) {
    return false;
  }
  const saved = await Promise.all(unsaved.map(async (document) => await document.save()));
  return saved.every(Boolean);
}

/** Opens a folder in a window of its own. */
export async function openWindow(path: string): Promise<void> {
  await openFolder(path, true);
}

/** Opens a folder in a window of its own, or in this one. */
export async function openFolder(path: string, isNew: boolean): Promise<void> {
  const how = isNew ? { forceNewWindow: true } : { forceReuseWindow: true };
  await vscode.commands.executeCommand("vscode.openFolder", vscode.Uri.file(path), how);
}
