/** Resolving what a merge has left to a person, in VS Code's own merge editor. */

import * as path from "node:path";
import * as vscode from "vscode";

interface Git {
  readonly getAPI: (version: 1) => { readonly openRepository: (root: vscode.Uri) => Promise<unknown> };
}

const MOST_FILES = 10;
/** Milliseconds that VS Code may take to see what git has written into an open file. */
const SEEN_WITHIN = 5000;

/** Opens the merge editor on these paths of a worktree, the first one in front; without git's extension, the files. */
export async function openConflicts(worktree: string, paths: readonly string[]): Promise<void> {
  const git = vscode.extensions.getExtension<Git>("vscode.git");
  const api = git && (git.isActive ? git.exports : await git.activate()).getAPI(1);
  const isKnown = Boolean(await api?.openRepository(vscode.Uri.file(worktree)));
  for (const file of paths.slice(0, MOST_FILES).reverse()) {
    const uri = vscode.Uri.file(path.join(worktree, file));
    try {
      await showsConflicts(uri);
      await (isKnown ? vscode.commands.executeCommand("git.openMergeEditor", uri) : vscode.window.showTextDocument(uri, { preview: false }));
    } catch {
      await vscode.window.showWarningMessage(`${file} can't be opened. Resolve it in Source Control.`);
    }
  }
}

/** Waits until an open file shows the conflicts that git has written: the merge editor takes an older text for a resolution by hand. */
async function showsConflicts(uri: vscode.Uri): Promise<void> {
  const document = vscode.workspace.textDocuments.find((one) => one.uri.toString() === uri.toString());
  if (document === undefined || document.isDirty || !hasConflicts(Buffer.from(await vscode.workspace.fs.readFile(uri)).toString())) {
    return;
  }
  await new Promise<void>((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      changes.dispose();
      resolve();
    };
    const timer = setTimeout(end, SEEN_WITHIN);
    const look = (): void => {
      if (hasConflicts(document.getText())) {
        end();
      }
    };
    const changes = vscode.workspace.onDidChangeTextDocument((change) => {
      if (change.document === document) {
        look();
      }
    });
    look();
  });
}

function hasConflicts(text: string): boolean {
  return /^<{7}/m.test(text);
}
