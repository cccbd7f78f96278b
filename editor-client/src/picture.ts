/** What the server's notification `sidecar/picture` brings: the object of `sidecar status --json`, as far as it is shown here. */

import * as path from "node:path";

export interface Region {
  readonly start: number;
  readonly end: number;
}

/**
 * One side of an overlap; `worktree` is null for trunk, `worktree_path` there where the name is not the worktree's alone.
 * Regions are 1-based lines, both ends included.
 */
export interface Side {
  readonly worktree: string | null;
  readonly worktree_path?: string;
  readonly ref: string;
  readonly path: string;
  readonly regions: readonly Region[];
}

export interface Overlap {
  readonly path: string;
  readonly verdict: "conflict" | "clean" | "identical";
  readonly kind: string;
  readonly sides: readonly [Side, Side];
}

/** Who is in a worktree: `since` and `edited` in seconds since 1970; whose edits are not known has none. */
export interface Agent {
  readonly client: string;
  readonly since: number;
  readonly edited: number | null;
}

export type Next = "resolve" | "continue" | "update" | "merge" | "release";

/** Whether merging a worktree into trunk is next; else why not, and what is next. Null for trunk's own checkout. */
export interface Readiness {
  readonly ready: boolean;
  readonly why: string | null;
  readonly next: Next | null;
}

export interface Worktree {
  readonly name: string;
  readonly path: string;
  readonly main: boolean;
  readonly branch: string | null;
  readonly head: string | null;
  readonly unfinished?: { readonly operation: "rebase" | "bisect"; readonly branch: string };
  readonly missing: boolean;
  readonly locked: string | null;
  readonly protected: boolean;
  /** The commit at HEAD; `time` in seconds since 1970. */
  readonly tip: { readonly subject: string; readonly author: string; readonly time: number } | null;
  /** The merge that is under way there, with the paths that wait for a person. */
  readonly merging: { readonly unresolved: readonly string[] } | null;
  readonly changes: Readonly<Record<"committed" | "staged" | "unstaged" | "untracked", number>>;
  readonly ahead: number;
  readonly behind: number;
  readonly integration: { readonly state: "integrated" | "not-integrated" | "no-work" };
  readonly merge: Readiness | null;
  readonly swept_by: string | null;
  readonly agents: readonly Agent[];
  readonly bytes: { readonly total: number; readonly reclaimable: number } | null;
  readonly problem: string | null;
}

/** Why overlaps may be there that are not known: of a worktree (null: trunk), or of it `with` another one. */
export interface Unknown {
  readonly worktree: string | null;
  readonly with?: string | null;
  readonly reason: string;
}

export interface Picture {
  readonly repository: string;
  readonly trunk: { readonly branch: string; readonly commit: string | null } | null;
  readonly worktrees: readonly Worktree[];
  readonly overlaps: readonly Overlap[];
  readonly unknown: readonly Unknown[];
}

/**
 * An overlap as seen from this window: `own` is this window's side where it has one, and then `here` is true.
 * `files` are the sides' files on disk, the own one first; either may be missing.
 */
export interface Sighting {
  readonly overlap: Overlap;
  readonly own: Side;
  readonly other: Side;
  readonly here: boolean;
  readonly files: readonly { readonly file: string; readonly side: Side }[];
}

/** Every overlap of `pictures`, conflicts first, and this window's before those of other worktrees. */
export function sightings(pictures: Iterable<Picture>, folders: readonly string[]): Sighting[] {
  const all = [...pictures].flatMap((picture) => {
    return picture.overlaps.map((overlap) => sight(overlap, picture, folders));
  });
  return all.sort((a, b) => rank(a) - rank(b) || a.own.path.localeCompare(b.own.path));
}

/** Why there may be more overlaps than are known, each reason once. */
export function reasons(pictures: Iterable<Picture>): string[] {
  return [...new Set([...pictures].flatMap((picture) => picture.unknown.map(({ reason }) => reason)))];
}

/** How a person calls the other side: its worktree's name, or `trunk`. */
export function sideName(side: Side): string {
  return side.worktree ?? "trunk";
}

/** For example "2 conflicts, 3 overlaps"; what there is none of is left out. */
export function countText(seen: readonly Sighting[]): string {
  const conflicts = seen.filter(({ overlap }) => overlap.verdict === "conflict").length;
  const parts = [plural(conflicts, "conflict"), plural(seen.length - conflicts, "overlap")];
  return parts.filter((part) => part !== "").join(", ");
}

/** Whom this window's side meets: a name, or how many there are. */
export function whomText(seen: readonly Sighting[]): string {
  const names = [...new Set(seen.map(({ other }) => sideName(other)))];
  return names.length === 1 ? names[0] ?? "" : names.includes("trunk") ? `trunk and ${plural(names.length - 1, "worktree")}` : plural(names.length, "worktree");
}

/** For example "lines 3–5, 9", or "" where a side has no lines. */
export function lineText(side: Side): string {
  const spans = side.regions.map(({ start, end }) => (start === end ? `${start}` : `${start}–${end}`));
  const single = side.regions.length === 1 && side.regions[0]?.start === side.regions[0]?.end;
  return spans.length === 0 ? "" : `${single ? "line" : "lines"} ${spans.join(", ")}`;
}

const pathsByName = new WeakMap<Picture, ReadonlyMap<string, string>>();

/** The path of the worktree that a side is of; undefined for trunk. */
export function sidePath({ worktree, worktree_path }: Side, picture: Picture): string | undefined {
  if (worktree === null || worktree_path !== undefined) {
    return worktree_path;
  }
  const known = pathsByName.get(picture) ?? new Map(picture.worktrees.map(({ name, path }) => [name, path]));
  pathsByName.set(picture, known);
  return known.get(worktree);
}

function sight(overlap: Overlap, picture: Picture, folders: readonly string[]): Sighting {
  const [first, second] = overlap.sides;
  const shown = (side: Side): boolean => {
    const directory = sidePath(side, picture);
    return directory !== undefined && isShown(directory, folders);
  };
  const firstIsOwn = shown(first) || (!shown(second) && first.worktree !== null);
  const [own, other] = firstIsOwn ? [first, second] : [second, first];
  const files = [own, other].flatMap((side) => {
    const directory = sidePath(side, picture);
    return directory === undefined ? [] : [{ file: path.join(directory, side.path), side }];
  });
  return { overlap, own, other, here: shown(own), files };
}

function rank({ overlap, here }: Sighting): number {
  const byVerdict = { conflict: 0, clean: 1, identical: 2 }[overlap.verdict];
  return byVerdict * 2 + (here ? 0 : 1);
}

/** Whether a path is a directory, or lies in it. */
export function within(inner: string, outer: string): boolean {
  const relative = path.relative(outer, inner);
  return relative !== ".." && !relative.startsWith(`..${path.sep}`) && !path.isAbsolute(relative);
}

/** For example "2 conflicts", or "" for none. */
export function plural(count: number, noun: string): string {
  return count === 0 ? "" : `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** Whether one of the window's folders lies in a worktree, or has it inside. */
export function isShown(directory: string, folders: readonly string[]): boolean {
  return folders.some((folder) => within(folder, directory) || within(directory, folder));
}

/** The checkout of trunk in the repository that a command's argument names, or in the only one. */
export function trunkCheckout(pictures: readonly Picture[], argument: unknown): Worktree | undefined {
  const wanted = (argument as { readonly repository?: unknown } | undefined)?.repository ?? pictures[0]?.repository;
  const picture = pictures.find(({ repository }) => repository === wanted);
  return picture?.worktrees.find(({ branch }) => branch !== null && branch === picture.trunk?.branch);
}

/** The worktree that a command's argument names. */
export function named(pictures: Iterable<Picture>, argument: unknown): Worktree | undefined {
  const wanted = (argument as { readonly worktree?: unknown } | undefined)?.worktree;
  const worktrees = [...pictures].flatMap((picture) => picture.worktrees);
  return worktrees.find(({ path, name, branch, unfinished }) =>
    [path, name, branch, unfinished?.branch].includes(String(wanted)),
  );
}
