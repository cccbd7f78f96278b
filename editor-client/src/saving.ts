/** Unsaved text is not merged: a person is asked to save it before. */

import * as vscode from "vscode";

import { within, type Picture, type Worktree } from "./picture";

/** The worktree that a command's argument names. */
export function named(pictures: Iterable<Picture>, argument: unknown): Worktree | undefined {
  const wanted = (argument as { readonly worktree?: unknown } | undefined)?.worktree;
  const worktrees = [...pictures].flatMap((picture) => picture.worktrees);
  return worktrees.find(({ path, name, branch }) => [path, name, branch].includes(String(wanted)));
}

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
