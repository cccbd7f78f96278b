/** The palette's commands that merge: they ask what and how; the server shows the plan and does it. */

import * as vscode from "vscode";

import { choices, isBesideTrunk, pickRepository, pickToMerge, pickWorktree, worktreeHere, type Choice } from "./pick";
import type { Picture } from "./picture";
import {
  blocking,
  MERGE,
  MERGE_ALL,
  SET_VERIFY,
  summary,
  UPDATE,
  withSummary,
  type Answer,
  type MergeAnswer,
  type Request,
  type Strategy,
} from "./protocol";

const NONE = "There is no worktree beside trunk's own checkout.";

/** Picks a worktree, a strategy and a message, and merges. */
export async function mergeWorktree(pictures: readonly Picture[], request: Request): Promise<void> {
  if (choices(pictures, isBesideTrunk).length === 0) {
    await vscode.window.showInformationMessage(NONE);
    return;
  }
  const choice = await pickToMerge(pictures, request);
  if (choice === undefined) {
    return;
  }
  const strategy = await pickStrategy();
  if (strategy === undefined) {
    return;
  }
  const worktree = { worktree: choice.worktree.path, repository: choice.repository };
  const planned = async (how: object): Promise<MergeAnswer> =>
    await request<MergeAnswer>("sidecar/plan", { ...worktree, what: "merge", strategy, ...how });
  const answer = await planned({});
  const way = await pickWay(choice, answer);
  if (way === undefined) {
    return;
  }
  const texts = await askTexts(choice, way.regenerate === true ? await planned(way) : answer);
  if (texts) {
    await vscode.commands.executeCommand(MERGE, { ...worktree, strategy, ...way, ...texts });
  }
}

/** What names the worktree that a merge is asked for. */
export interface MergeArgument {
  readonly worktree: string;
  readonly repository?: string;
}

/** Asks for the verify command of the repository, sets it, and asks about the merge again. */
export async function setVerifyAndMerge(argument: MergeArgument): Promise<void> {
  const verify = await vscode.window.showInputBox({
    title: "Verify Command of This Repository",
    prompt: "It runs on the merged files, and trunk moves only when it succeeds (git config sidecar.verify).",
    placeHolder: "npm test",
    ignoreFocusOut: true,
  });
  if (verify === undefined || verify.trim() === "") {
    return;
  }
  const { worktree, repository } = argument;
  const place = repository === undefined ? { worktree } : { worktree, repository };
  const answer = await vscode.commands.executeCommand<Answer | null>(SET_VERIFY, { ...place, verify, confirmed: true });
  if (answer?.outcome === "set") {
    await vscode.commands.executeCommand(MERGE, argument);
  }
}

/** Merges whatever is ready in the repository that is meant. */
export async function mergeAll(pictures: readonly Picture[]): Promise<void> {
  const repository = await pickRepository(pictures);
  if (repository !== undefined) {
    await vscode.commands.executeCommand(MERGE_ALL, { repository });
  }
}

/** Merges trunk into the worktree that this window shows, or into one that is picked. */
export async function updateWorktree(pictures: readonly Picture[]): Promise<void> {
  const offered = choices(pictures, isBesideTrunk);
  const here = worktreeHere(pictures)?.worktree.path;
  const choice =
    offered.find(({ worktree }) => worktree.path === here) ?? (await pickWorktree(offered, pictures, "Merge Trunk into Worktree"));
  if (choice) {
    await vscode.commands.executeCommand(UPDATE, { worktree: choice.worktree.path, repository: choice.repository });
  } else if (offered.length === 0) {
    await vscode.window.showInformationMessage(NONE);
  }
}

async function pickStrategy(): Promise<Strategy | undefined> {
  const rows: (vscode.QuickPickItem & { readonly strategy: Strategy })[] = [
    { label: "Merge commit", description: "git merge --no-ff", strategy: "merge" },
    { label: "Squash", description: "all its commits as one", strategy: "squash" },
    { label: "Rebase", description: "its commits on top of trunk, without a merge commit", strategy: "rebase" },
  ];
  return (await vscode.window.showQuickPick(rows, { title: "How?", placeHolder: "Strategy" }))?.strategy;
}

/** Where only files that tools make conflict: whether they are to be made anew. Undefined when the person backs out. */
async function pickWay({ worktree }: Choice, answer: MergeAnswer): Promise<{ regenerate?: true } | undefined> {
  const remakes = answer.regenerate ?? [];
  const reasons = blocking(answer);
  if (remakes.length === 0 || reasons.size !== 1 || !reasons.has("conflict")) {
    return {};
  }
  const made = remakes.map(({ command, folder, paths }) => `${paths.join(", ")}: ${command}${folder && ` (in ${folder})`}`);
  const rows: (vscode.QuickPickItem & { readonly way: { regenerate?: true } })[] = [
    { label: "$(sync) Merge and Regenerate", detail: made.join("; "), way: { regenerate: true } },
    { label: "$(git-merge) Resolve by Hand", detail: `trunk is merged into ${worktree.name}`, way: {} },
  ];
  const title = "Only files that tools make conflict";
  return (await vscode.window.showQuickPick(rows, { title, placeHolder: "How?" }))?.way;
}

/** The messages that the merge needs; undefined when the person backs out. What blocks it, the server will say. */
async function askTexts(
  { worktree }: Choice,
  answer: MergeAnswer,
): Promise<{ commit?: string; message?: string } | undefined> {
  const reasons = blocking(answer);
  const uncommitted = reasons.delete("uncommitted");
  reasons.delete("nothing-to-merge");
  if (reasons.size > 0) {
    return {};
  }
  const commit = uncommitted
    ? await askText(`Commit what is not committed in ${worktree.name} first`, `Work in ${worktree.name}`)
    : undefined;
  if (uncommitted && commit === undefined) {
    return undefined;
  }
  const own = answer.plan?.message ?? "";
  const first = own === "" ? undefined : await askText(`Merge ${worktree.name} into trunk`, summary(own));
  if (own !== "" && first === undefined) {
    return undefined;
  }
  return {
    ...(commit === undefined ? {} : { commit }),
    ...(first === undefined || first === summary(own) ? {} : { message: withSummary(own, first) }),
  };
}

async function askText(title: string, value: string): Promise<string | undefined> {
  return await vscode.window.showInputBox({
    title,
    value,
    prompt: "Message of the commit",
    ignoreFocusOut: true,
    validateInput: (text) => (text.trim() === "" ? "A commit needs a message." : undefined),
  });
}
