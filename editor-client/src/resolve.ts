/** Resolving what a merge has left to a person, in VS Code's own merge editor. */

import * as path from "node:path";
import * as vscode from "vscode";

interface Git {
  readonly getAPI: (version: 1) => { readonly openRepository: (root: vscode.Uri) => Promise<unknown> };
}

const MOST_FILES = 10;

/** Opens the merge editor on these paths of a worktree, the first one in front; without git's extension, the files. */
export async function openConflicts(worktree: string, paths: readonly string[]): Promise<void> {
  const git = vscode.extensions.getExtension<Git>("vscode.git");
  const api = git && (git.isActive ? git.exports : await git.activate()).getAPI(1);
  const isKnown = Boolean(await api?.openRepository(vscode.Uri.file(worktree)));
  for (const file of paths.slice(0, MOST_FILES).reverse()) {
    const uri = vscode.Uri.file(path.join(worktree, file));
    try {
      await (isKnown ? vscode.commands.executeCommand("git.openMergeEditor", uri) : vscode.window.showTextDocument(uri, { preview: false }));
    } catch {
      await vscode.window.showWarningMessage(`${file} can't be opened. Resolve it in Source Control.`);
    }
  }
}
