/** The status bar item: how many overlaps there are. */

import * as vscode from "vscode";

import { countText, lineText, sideName, type Sighting } from "./picture";

const LISTED = 12;

/** Creates the item, hidden; call the result with every new picture. */
export function createStatus(context: vscode.ExtensionContext): (seen: readonly Sighting[]) => void {
  const item = vscode.window.createStatusBarItem("worktreeSidecar.overlaps", vscode.StatusBarAlignment.Left, 10);
  item.name = "Worktree Sidecar";
  context.subscriptions.push(item);
  return (seen) => {
    show(item, seen);
  };
}

function show(item: vscode.StatusBarItem, seen: readonly Sighting[]): void {
  const here = seen.filter((sighting) => sighting.here);
  if (seen.length === 0) {
    item.hide();
    return;
  }
  const isHere = here.length > 0;
  item.text = isHere ? `$(git-merge) ${countText(here)}` : `$(git-merge) ${countText(seen)} elsewhere`;
  item.tooltip = tooltip(seen);
  const inProblems = here.some(({ overlap }) => overlap.verdict === "conflict");
  item.command = inProblems ? "workbench.actions.view.problems" : "worktreeSidecar.showOverlaps";
  item.show();
}

function tooltip(seen: readonly Sighting[]): vscode.MarkdownString {
  const text = new vscode.MarkdownString();
  for (const { overlap, own, other } of seen.slice(0, LISTED)) {
    const verdict = overlap.verdict === "clean" ? "overlap" : overlap.verdict;
    const lines = lineText(own);
    text.appendText(`${verdict}: ${own.path}${lines ? ` ${lines}` : ""}, ${sideName(own)} and ${sideName(other)}`);
    text.appendMarkdown("\n\n");
  }
  if (seen.length > LISTED) {
    text.appendText(`and ${seen.length - LISTED} more`);
  }
  return text;
}
