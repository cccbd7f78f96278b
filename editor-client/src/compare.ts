/** Shows what the server command `sidecar.compare` answers, from wherever it was asked. */

import * as vscode from "vscode";

import { COMPARE } from "./protocol";

/** `worktree`: a worktree's name or path, null for trunk, absent to let the server choose. `line` (1-based) is shown first. */
export interface CompareArgument {
  readonly uri: string;
  readonly worktree?: string | null;
  readonly line?: number;
}

type CompareResult =
  | { readonly left: string; readonly right: string; readonly title: string }
  | { readonly choices: readonly { readonly worktree: string | null; readonly title: string }[] }
  | null;

/** Opens the diff editor, or asks which version to compare with. Null: the server has already said why. */
export async function showComparison(argument: CompareArgument, answer: unknown): Promise<void> {
  const result = answer as CompareResult | undefined;
  if (!result) {
    return;
  }
  if ("choices" in result) {
    const rows = result.choices.map(({ worktree, title }) => ({ label: title, worktree }));
    const picked = await vscode.window.showQuickPick(rows, { placeHolder: "Compare with which version?" });
    if (picked) {
      await compare({ ...argument, worktree: picked.worktree });
    }
    return;
  }
  const line = argument.line === undefined ? undefined : argument.line - 1;
  const options: vscode.TextDocumentShowOptions = line === undefined ? {} : { selection: new vscode.Range(line, 0, line, 0) };
  await vscode.commands.executeCommand(
    "vscode.diff",
    vscode.Uri.parse(result.left, true),
    vscode.Uri.parse(result.right, true),
    result.title,
    options,
  );
}

/** Asks the server; the client's middleware hands its answer to `showComparison`. */
export async function compare(argument: CompareArgument): Promise<void> {
  await vscode.commands.executeCommand(COMPARE, argument);
}

/** Compares the file of the active editor, with the version in a worktree (its path) or one that is picked. */
export async function compareActiveFile(worktree?: string): Promise<void> {
  const uri = vscode.window.activeTextEditor?.document.uri;
  if (uri?.scheme !== "file") {
    await vscode.window.showInformationMessage("Open a file of a worktree first: this compares the file in the editor.");
    return;
  }
  const line = (vscode.window.activeTextEditor?.selection.active.line ?? 0) + 1;
  await compare({ uri: uri.toString(), line, ...(worktree === undefined ? {} : { worktree }) });
}
