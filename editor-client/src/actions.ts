/** What the rows of the Worktrees view do: each action is a command of the palette's, told which row is meant. */

import * as path from "node:path";
import * as vscode from "vscode";

import { compare } from "./compare";
import { choices, isBesideTrunk, pickRepository, pickWorktree, worktreeHere, type Choice } from "./pick";
import type { Picture, Worktree } from "./picture";
import { CONTINUE, EMPTY, KEEP, MERGE, RELEASE, RESTORE, UPDATE, type Answer, type Request, type StatePlan } from "./protocol";
import type { Node } from "./worktrees";

/** A worktree that is meant, in its repository. */
export interface Meant {
  readonly worktree: string;
  readonly repository: string;
}

/** The worktree that a command is about: that of a row, or one that is named; none where a key or the palette gave it. */
export function meantBy(argument: unknown, node: Node | undefined): Meant | undefined {
  const named = argument as Partial<Meant> | undefined;
  return typeof named?.worktree === "string" && typeof named.repository === "string"
    ? { worktree: named.worktree, repository: named.repository }
    : ofRow(node);
}

function ofRow(node: Node | undefined): Meant | undefined {
  switch (node?.kind) {
    case "worktree":
    case "fact":
    case "file":
      return { worktree: node.worktree.path, repository: node.picture.repository };
    case "trunk":
      return node.checkout && { worktree: node.checkout.path, repository: node.picture.repository };
    case "side":
      return node.other.path === undefined ? undefined : { worktree: node.other.path, repository: node.picture.repository };
    default:
      return undefined;
  }
}

export const merge = (one: Meant): Thenable<unknown> => vscode.commands.executeCommand(MERGE, one);
export const release = (one: Meant): Thenable<unknown> => vscode.commands.executeCommand(RELEASE, one);
export const keep = (one: Meant, undo: boolean): Thenable<unknown> =>
  vscode.commands.executeCommand(KEEP, { ...one, undo, confirmed: true });

/** Merges trunk into a worktree; the click on a row that says so is the consent, since nothing is written over. */
export const update = (one: Meant): Thenable<unknown> => vscode.commands.executeCommand(UPDATE, { ...one, confirmed: true });

/** Merges a worktree into the one that this window shows, or one that is picked. */
export async function mergeHere(pictures: readonly Picture[], one: Meant | undefined): Promise<void> {
  const here = worktreeHere(pictures);
  if (here === undefined || here.worktree.merge === null) {
    await vscode.window.showInformationMessage("This window shows no worktree beside trunk to merge into.");
    return;
  }
  const offered = choices(pictures, (worktree, picture) =>
    picture.repository === here.repository && isBesideTrunk(worktree, picture) && worktree.path !== here.worktree.path);
  const from = one?.worktree ?? (await pickWorktree(offered, `Merge into ${here.worktree.name}`))?.worktree.path;
  if (from !== undefined) {
    const argument = { worktree: here.worktree.path, repository: here.repository, from, confirmed: true };
    await vscode.commands.executeCommand(UPDATE, argument);
  }
}

/** Commits the merge whose conflicts are resolved, in that worktree or in this window's. */
export async function continueMerge(pictures: readonly Picture[], one: Meant | undefined): Promise<void> {
  const found = one ?? merging(pictures);
  if (found === undefined) {
    await vscode.window.showInformationMessage("No merge is in progress in this window's worktree.");
    return;
  }
  await vscode.commands.executeCommand(CONTINUE, { ...found, confirmed: true });
}

function ofChoice(choice: Choice | undefined): Meant | undefined {
  return choice && { worktree: choice.worktree.path, repository: choice.repository };
}

function merging(pictures: readonly Picture[]): Meant | undefined {
  const here = worktreeHere(pictures);
  return here?.worktree.merging ? ofChoice(here) : undefined;
}

/** That worktree, or this window's, in which conflicts are to be resolved. */
export function resolving(pictures: readonly Picture[], one: Meant | undefined): Worktree | undefined {
  const wanted = one?.worktree ?? worktreeHere(pictures)?.worktree.path;
  return pictures.flatMap(({ worktrees }) => worktrees).find(({ path: own }) => own === wanted);
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
  const found = one ?? ofChoice(await pickWorktree(choices(pictures, ({ missing }) => !missing), "Copy Sentence for an Agent"));
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

