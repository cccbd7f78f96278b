/** What the rows of the Worktrees view do: each action is a command of the palette's, told which row is meant. */

import * as path from "node:path";
import * as vscode from "vscode";

import { compare } from "./compare";
import { receiver, type Meant } from "./meant";
import { choices, isBesideTrunk, pickRepository, pickWorktree, worktreeHere, type Choice } from "./pick";
import type { Picture, Worktree } from "./picture";
import { CONTINUE, EMPTY, KEEP, MERGE, RELEASE, RESTORE, UPDATE, type Answer, type Request, type StatePlan } from "./protocol";
import { openConflicts } from "./resolve";
import type { Model, Node } from "./worktrees";

export const merge = (one: Meant): Thenable<unknown> => vscode.commands.executeCommand(MERGE, one);
export const release = (one: Meant): Thenable<unknown> => vscode.commands.executeCommand(RELEASE, one);
export const keep = (one: Meant, undo: boolean): Thenable<unknown> =>
  vscode.commands.executeCommand(KEEP, { ...one, undo, confirmed: true });

/** Merges trunk into a worktree; the click on a row that says so is the consent, since nothing is written over. */
export const update = (one: Meant): Thenable<unknown> => vscode.commands.executeCommand(UPDATE, { ...one, confirmed: true });

/** Merges the worktree of a row into the one that it is shown beside; from the palette one that is picked. */
export async function mergeHere(
  pictures: readonly Picture[],
  one: Meant | undefined,
  row: Node | undefined,
  model: Model,
): Promise<void> {
  const into = row === undefined ? ofChoice(besideTrunk(worktreeHere(pictures), pictures)) : receiver(row, model);
  if (into === undefined) {
    await vscode.window.showInformationMessage("This window shows no worktree beside trunk to merge into.");
    return;
  }
  const from = one?.worktree ?? (await pickIncoming(pictures, into));
  if (from !== undefined) {
    await vscode.commands.executeCommand(UPDATE, { ...into, from, confirmed: true });
  }
}

async function pickIncoming(pictures: readonly Picture[], into: Meant): Promise<string | undefined> {
  const offered = choices(pictures, (worktree, picture) =>
    picture.repository === into.repository && isBesideTrunk(worktree, picture) && worktree.path !== into.worktree);
  const name = found(pictures, into)?.name ?? "";
  return (await pickWorktree(offered, pictures, `Merge into ${name}`))?.worktree.path;
}

function besideTrunk(choice: Choice | undefined, pictures: readonly Picture[]): Choice | undefined {
  const picture = pictures.find(({ repository }) => repository === choice?.repository);
  return choice && picture && isBesideTrunk(choice.worktree, picture) ? choice : undefined;
}

/** Commits the merge whose conflicts are resolved, in that worktree; in this window's, which nobody has named, after a question. */
export async function continueMerge(pictures: readonly Picture[], one: Meant | undefined): Promise<void> {
  const meant = one ?? merging(pictures);
  if (meant === undefined) {
    await vscode.window.showInformationMessage("No merge is in progress in this window's worktree.");
    return;
  }
  await vscode.commands.executeCommand(CONTINUE, { ...meant, ...(one === undefined ? {} : { confirmed: true }) });
}

function ofChoice(choice: Choice | undefined): Meant | undefined {
  return choice && { worktree: choice.worktree.path, repository: choice.repository };
}

function merging(pictures: readonly Picture[]): Meant | undefined {
  const here = worktreeHere(pictures);
  return here?.worktree.merging ? ofChoice(here) : undefined;
}

/** Opens the files that wait for a person, in that worktree or in this window's. */
export async function resolve(pictures: readonly Picture[], one: Meant | undefined): Promise<void> {
  const worktree = one === undefined ? worktreeHere(pictures)?.worktree : found(pictures, one);
  const unresolved = worktree?.merging?.unresolved ?? [];
  if (worktree === undefined || unresolved.length === 0) {
    await vscode.window.showInformationMessage(`Nothing is to be resolved in ${worktree?.name ?? "this window"}.`);
    return;
  }
  await openConflicts(worktree.path, unresolved);
}

function found(pictures: readonly Picture[], { worktree }: Meant): Worktree | undefined {
  return pictures.flatMap(({ worktrees }) => worktrees).find(({ path: own }) => own === worktree);
}

/** Compares the file of a row at its first region. */
export async function openDiff(node: Node | undefined): Promise<void> {
  if (node?.kind !== "file") {
    return;
  }
  const { own, other } = node.meeting;
  const line = own.regions[0]?.start;
  const uri = vscode.Uri.file(path.join(node.worktree.path, own.path)).toString();
  await compare({ uri, worktree: other.worktree_path ?? other.worktree, ...(line === undefined ? {} : { line }) });
}

/** Puts a sentence on the clipboard that tells an agent where it works, and what that conflicts with. */
export async function copyForAgent(pictures: readonly Picture[], one: Meant | undefined, request: Request): Promise<void> {
  const found = one ?? ofChoice(await pickWorktree(choices(pictures, ({ missing }) => !missing), pictures, "Copy Sentence for an Agent"));
  const sentence = found && (await request<StatePlan>("sidecar/plan", { ...found, what: "agent" })).sentence;
  if (sentence !== undefined) {
    await vscode.env.clipboard.writeText(sentence);
    vscode.window.setStatusBarMessage("The sentence for the agent is on the clipboard.", 5000);
  }
}

/** Takes back what the row is about. */
export async function restoreRow(node: Node): Promise<void> {
  const found = node.kind === "receipt" ? { id: node.receipt.id, repository: node.repository }
    : node.kind === "landing" ? { id: node.landing.id, repository: node.picture.repository } : undefined;
  if (found !== undefined) {
    await vscode.commands.executeCommand<Answer | null>(RESTORE, found);
  }
}

/** Lets go, for good, of what the row is about, or of everything that is kept. */
export async function empty(pictures: readonly Picture[], node: Node | undefined): Promise<void> {
  if (node?.kind === "receipt") {
    await vscode.commands.executeCommand(EMPTY, { id: node.receipt.id, repository: node.repository });
    return;
  }
  const repository = node?.kind === "kept" ? node.repository : await pickRepository(pictures);
  if (repository !== undefined) {
    await vscode.commands.executeCommand(EMPTY, { repository });
  }
}

