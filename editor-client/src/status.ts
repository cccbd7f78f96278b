/** The status bar items: how many overlaps there are, and what comes next in this window's worktree. */

import * as vscode from "vscode";

import { countText, lineText, plural, sideName, whomText, type Next, type Picture, type Sighting, type Worktree } from "./picture";
import { SECTION } from "./settings";
import { workedOn, type Model } from "./worktrees";

const LISTED = 12;
const WARNING = "statusBarItem.warningBackground";
const LOOK = { Overlaps: `${SECTION}.showOverlaps`, "Overlap Map": `${SECTION}.showMap`, Worktrees: `${SECTION}.worktrees.focus` };

/** Creates the item, hidden; call the result with every new picture. */
export function createStatus(context: vscode.ExtensionContext): (seen: readonly Sighting[]) => void {
  const item = vscode.window.createStatusBarItem("worktreeSidecar.overlaps", vscode.StatusBarAlignment.Left, 10);
  item.name = "Worktree Sidecar";
  context.subscriptions.push(item);
  return (seen) => {
    show(item, seen);
  };
}

/** Counts what meets this window, and says whom; where nothing does, what meets elsewhere. */
function show(item: vscode.StatusBarItem, seen: readonly Sighting[]): void {
  const here = seen.filter((sighting) => sighting.here);
  if (seen.length === 0) {
    item.hide();
    return;
  }
  const isHere = here.length > 0;
  item.text = isHere ? `$(git-compare) ${countText(here)} with ${whomText(here)}` : `$(git-compare) ${countText(seen)} between other worktrees`;
  item.tooltip = tooltip(isHere ? here : seen, isHere ? seen.length - here.length : 0);
  const conflicts = here.some(({ overlap }) => overlap.verdict === "conflict");
  item.backgroundColor = conflicts ? new vscode.ThemeColor(WARNING) : undefined;
  item.command = conflicts ? "workbench.actions.view.problems" : LOOK.Overlaps;
  item.show();
}

function tooltip(counted: readonly Sighting[], more: number): vscode.MarkdownString {
  const text = new vscode.MarkdownString();
  text.isTrusted = { enabledCommands: Object.values(LOOK) };
  const line = (said: string): void => {
    text.appendText(said);
    text.appendMarkdown("\n\n");
  };
  for (const { overlap, own, other } of counted.slice(0, LISTED)) {
    const verdict = overlap.verdict === "clean" ? "overlap" : overlap.verdict;
    const lines = lineText(own);
    line(`${verdict}: ${own.path}${lines ? ` ${lines}` : ""}, ${sideName(own)} and ${sideName(other)}`);
  }
  if (counted.length > LISTED) {
    line(`and ${counted.length - LISTED} more`);
  }
  if (more > 0) {
    line(`${plural(more, "overlap")} between other worktrees`);
  }
  text.appendMarkdown(Object.entries(LOOK).map(([title, command]) => `[${title}](command:${command})`).join(" · "));
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
