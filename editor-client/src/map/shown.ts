/** What the overlap map's page shows, and what it asks for; types alone, for both sides of the messages. */

/** What a cell says: the worst verdict of two worktrees, or that there may be one, or that they don't meet. */
export type Mark = "conflict" | "clean" | "identical" | "unknown" | "none";

/** Where two meet; `count` files have the worst verdict, and with `unsure` there may be more than is known. */
export interface Cell {
  readonly mark: Mark;
  readonly count: number;
  readonly unsure: boolean;
  readonly label: string;
}

/** What the merge of a worktree meets at its place in the order; `unplanned` while no order is known. */
export interface Step {
  readonly state: "merges" | "stops" | "waits" | "unplanned";
  readonly text: string;
}

/** A worktree; `id` is its path. Its cells are those with trunk, and with each row above. */
export interface Row {
  readonly id: string;
  readonly name: string;
  readonly label: string;
  readonly step: Step;
  readonly cells: readonly Cell[];
}

/** A file that two have changed; `id` names it among those that are listed. */
export interface File {
  readonly id: string;
  readonly mark: Mark;
  readonly path: string;
  readonly details: string;
}

/** What was chosen in the table: two that meet, or a worktree with all that it meets. */
export interface Chosen {
  readonly title: string;
  readonly text: string;
  readonly files: readonly File[];
  readonly actions: readonly Action[];
}

export type Action = "merge" | "open";

/** `column` is the other worktree's id, `TRUNK`, or null for all that the row's meets. */
export interface Choice {
  readonly row: string;
  readonly column: string | null;
}

export interface Repository {
  readonly id: string;
  readonly name: string;
}

export interface Shown {
  readonly repositories: readonly Repository[];
  readonly repository: string | null;
  readonly trunk: string;
  readonly summary: string;
  readonly order: string;
  /** Whether another order is known, which is shown once nobody is in the table. */
  readonly held: boolean;
  readonly ready: number;
  readonly rows: readonly Row[];
  readonly choice: Choice | null;
  readonly chosen: Chosen | null;
}

/** What the page keeps over a reload of the window. */
export interface Kept {
  readonly repository: string | null;
  readonly choice: Choice | null;
}

export type Wish =
  | { readonly kind: "begin"; readonly kept: Kept | null }
  | { readonly kind: "choose"; readonly choice: Choice | null }
  | { readonly kind: "repository"; readonly repository: string }
  | { readonly kind: "inside"; readonly inside: boolean }
  | { readonly kind: "compare"; readonly file: string }
  | { readonly kind: "act"; readonly action: Action; readonly row: string }
  | { readonly kind: "mergeAll" };
