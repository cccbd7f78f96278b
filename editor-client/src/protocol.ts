/** What is said between the server and us: its commands, and what it answers (`sidecar merge --json` and the like). */

import type { CancellationToken } from "vscode";

export const COMPARE = "sidecar.compare";
export const CONTINUE = "sidecar.continue";
export const EMPTY = "sidecar.empty";
export const KEEP = "sidecar.keep";
export const MERGE = "sidecar.merge";
export const MERGE_ALL = "sidecar.mergeAll";
export const MOVE = "sidecar.move";
export const OPEN = "sidecar.open";
export const RELEASE = "sidecar.release";
export const RELEASE_ALL = "sidecar.releaseAll";
export const RESTORE = "sidecar.restore";
export const SET_VERIFY = "sidecar.setVerify";
export const UPDATE = "sidecar.update";

export const CONSENT = "sidecar/consent";

/**
 * What a person is asked before it is done; the answer is one of the actions, or null. `allows` are the findings that it
 * lets pass. Of a plan with `rows`, the answer is the keys of those that are wanted.
 */
export interface ConsentQuestion {
  readonly message: string;
  readonly warning: boolean;
  readonly actions: readonly string[];
  readonly allows: readonly string[];
  readonly rows?: readonly PlanRow[];
}

/** What came of an operation (`sidecar/result`): `steps` are commands, of the server or of the editor, with their argument. */
export interface Result {
  readonly message: string;
  readonly warning: boolean;
  readonly steps: readonly { readonly title: string; readonly command: string; readonly argument: object }[];
}

/** A worktree of a plan of many: what is done with it, or, where it is not `offered`, why it stays as it is. */
export interface PlanRow {
  readonly key: string;
  readonly name: string;
  readonly description: string;
  readonly detail: string;
  readonly offered: boolean;
  readonly ticked: boolean;
}

/** Asks the server one of its own questions; the token takes it back. */
export type Request = <T>(method: string, params: object, token?: CancellationToken) => Promise<T>;

export interface Finding {
  readonly code: string;
  readonly severity: "blocks" | "kept" | "info";
  readonly message: string;
  readonly paths: readonly string[];
}

/** Of every operation: what came of it, and why. `path` is the worktree that there is now, where there is one. */
export interface Answer {
  readonly outcome: string;
  readonly findings: readonly Finding[];
  readonly path?: string | null;
  /** What the server would have the person asked for. */
  readonly asks?: "verify";
  /** Whether the window is to be closed now. */
  readonly closes?: boolean;
}

/** A command that makes files anew, and where it runs. */
export interface Remake {
  readonly command: string;
  readonly folder: string;
  readonly paths: readonly string[];
}

/** `regenerate` are the commands that make anew all that the merge conflicts in, where that can be done. */
export interface MergeAnswer extends Answer {
  readonly plan?: { readonly message: string };
  readonly regenerate?: readonly Remake[];
}

/** A worktree's place in the order in which to merge; `why` is null for one that nothing stands in the way of. */
export interface Turn {
  readonly worktree: string;
  readonly path: string;
  readonly ready: boolean;
  readonly why: string | null;
}

/** `conflicts` are met by the whole order, `exact` says that no other one meets less; without an order, why there is none. */
export interface OrderAnswer {
  readonly order?: readonly Turn[];
  readonly conflicts?: number;
  readonly exact?: boolean;
  readonly findings?: readonly Finding[];
}

/** Something that can be taken back; `time` in seconds since 1970, `bytes` that it keeps on the disk. */
export interface Receipt {
  readonly id: string;
  readonly what: string;
  readonly worktree: string;
  readonly branch: string | null;
  readonly time: number;
  readonly bytes: number;
}

/** A merge into trunk that was made here; `before` and `after` are trunk's commits. */
export interface Landing {
  readonly id: string;
  readonly worktree: string;
  readonly branch: string | null;
  readonly time: number;
  readonly before: string;
  readonly after: string;
  readonly strategy: string;
  readonly taken_back: boolean;
}

/** What the notification `sidecar/history` brings: what was merged, and what can be restored; the newest first. */
export interface History {
  readonly repository: string;
  readonly landings: readonly Landing[];
  readonly receipts: readonly Receipt[];
}

export interface UpdateAnswer extends Answer {
  readonly worktree: string | null;
  readonly conflicts: readonly string[];
}

export interface RestorableAnswer {
  readonly receipts?: readonly Receipt[];
}

/** A state of a worktree; `changed` are the paths that changed with it. */
export interface StatesAnswer {
  readonly receipts?: readonly (Receipt & { readonly changed: readonly string[] })[];
}

/** What going back to a state would do, and the file of its diff; without a sentence, the findings say why it can't be. */
export interface StatePlan extends Answer {
  readonly sentence?: string;
  readonly diff?: string | null;
}

export type Strategy = "merge" | "squash" | "rebase";

/** The codes of what blocks a plan. */
export function blocking(answer: Answer): Set<string> {
  return new Set(answer.findings.filter(({ severity }) => severity === "blocks").map(({ code }) => code));
}

/** The message of a commit as a box of one line shows it. */
export function summary(message: string): string {
  return message.split("\n", 1)[0] ?? "";
}

/** The whole message after its first line was edited. */
export function withSummary(message: string, first: string): string {
  const rest = message.indexOf("\n");
  return rest < 0 ? first : first + message.slice(rest);
}
