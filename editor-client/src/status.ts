/** The status bar items: how many overlaps there are, and what comes next in this window's worktree. */

import * as vscode from "vscode";

import { countText, lineText, plural, sideName, type Next, type Picture, type Sighting, type Worktree } from "./picture";
import { SECTION } from "./settings";
import { workedOn, type Model } from "./worktrees";

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

/** Creates the item of the next step, hidden; call the result with all that is known. */
export function createNextStep(context: vscode.ExtensionContext): (model: Model) => void {
  const item = vscode.window.createStatusBarItem("worktreeSidecar.next", vscode.StatusBarAlignment.Left, 9);
  item.name = "Worktree Sidecar: Next Step";
  context.subscriptions.push(item);
  return (model) => {
    const here = workedOn(model);
    if (!here?.worktree.merge?.next) {
      item.hide();
      return;
    }
    const { next, why } = here.worktree.merge;
    item.text = nextText(next, here.worktree, here.picture);
    item.tooltip = why ?? `${here.worktree.name} is ready.`;
    const argument = { worktree: here.worktree.path, repository: here.picture.repository };
    item.command = { command: `${SECTION}.${next}`, title: item.text, arguments: [argument] };
    item.show();
  };
}

function nextText(next: Next, { name, merging }: Worktree, picture: Picture): string {
  const branch = picture.trunk?.branch ?? "trunk";
  switch (next) {
    case "resolve":
      return `$(warning) Resolve ${plural(merging?.unresolved.length ?? 0, "File")}`;
    case "continue":
      return "$(check) Continue Merge";
    case "update":
      return `$(git-merge) Merge ${branch} into ${name}`;
    case "merge":
      return `$(git-merge) Merge into ${branch}`;
    case "release":
      return `$(archive) Release ${name}`;
  }
}
