/** Opening a worktree: one that is there, a new one for a new task, or one that what is edited on trunk moves into. */

import * as vscode from "vscode";

import { byRepository, choices, pickRepository, type Choice } from "./pick";
import type { Picture } from "./picture";
import { MOVE, OPEN, type Answer } from "./protocol";
import { isTrusted } from "./trust";
import { openWindow } from "./window";
import { branchText } from "./words";

interface Row extends vscode.QuickPickItem {
  readonly choice?: Choice;
}

/** Picks a worktree, or makes a new one, and opens it in a new window. */
export async function openWorktree(pictures: readonly Picture[]): Promise<void> {
  const fresh: Row = { label: "$(add) New Worktree...", detail: "A folder and a branch for a new task, from trunk" };
  const rows = byRepository<Row>(choices(pictures, ({ missing }) => !missing), pictures, (choice) => ({
    label: `$(git-branch) ${choice.worktree.name}`,
    description: branchText(choice.worktree),
    detail: choice.worktree.path,
    choice,
  }));
  const picked = await vscode.window.showQuickPick<Row>([fresh, ...rows], { title: "Open Worktree" });
  const path = picked?.choice?.worktree.path ?? (picked === fresh ? await makeWorktree(pictures) : undefined);
  if (path !== undefined) {
    await openWindow(path);
  }
}

async function makeWorktree(pictures: readonly Picture[]): Promise<string | undefined> {
  const repository = (await isTrusted()) ? await pickRepository(pictures) : undefined;
  const name =
    repository &&
    (await vscode.window.showInputBox({
      title: "New Worktree",
      prompt: "Its name, and that of its branch",
      validateInput: whyNoName,
    }));
  if (!name) {
    return undefined;
  }
  const argument = { worktree: name.trim(), repository, confirmed: true };
  const answer = await vscode.commands.executeCommand<Answer | null>(OPEN, argument);
  return answer?.outcome === "opened" ? (answer.path ?? undefined) : undefined;
}

/** Why git would not take a name for a branch, with one that it takes; what else is in the way the server says. */
function whyNoName(text: string): string | undefined {
  const name = text.trim();
  const taken = name.replace(/[\s~^:?*[\\]+/g, "-").replace(/^[-/]+|[-/.]+$/g, "");
  if (name === "") {
    return "It needs a name.";
  }
  return name === taken ? undefined : `Git does not take this for a branch.${taken === "" ? "" : ` It takes: ${taken}`}`;
}

/** Asks for the name of the new worktree; the server shows the plan, does it, and offers its window. */
export async function moveEdits(pictures: readonly Picture[]): Promise<void> {
  const repository = await pickRepository(pictures);
  if (repository === undefined) {
    return;
  }
  const name = await vscode.window.showInputBox({
    title: "Move Edits off Trunk",
    prompt: "The name of the new worktree and of its branch; empty for one that is free",
  });
  if (name === undefined) {
    return;
  }
  const worktree = name.trim() === "" ? {} : { worktree: name.trim() };
  await vscode.commands.executeCommand(MOVE, { repository, ...worktree });
}
