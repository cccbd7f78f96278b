/** What the server answers about operations: the objects of `sidecar plan --json` and `sidecar merge --json`. */

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
}

export interface MergeAnswer extends Answer {
  readonly plan?: { readonly message: string };
}

/** A worktree's place in the order in which to merge; `why` is null for one that nothing stands in the way of. */
export interface Turn {
  readonly worktree: string;
  readonly ready: boolean;
  readonly why: string | null;
}

export interface OrderAnswer {
  readonly order?: readonly Turn[];
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

export interface RestorableAnswer {
  readonly receipts?: readonly Receipt[];
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
