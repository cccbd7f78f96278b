/** Makes the rows of the overlap map: the worktrees in the order in which to merge, each with what it meets above it. */

import { plural, sidePath, type Overlap, type Picture, type Worktree } from "../picture";
import type { OrderAnswer, Turn } from "../protocol";
import type { Cell, Mark, Row, Step } from "./shown";

/** How trunk is called where worktrees are called by their paths. */
export const TRUNK = "";

const VERDICTS = ["conflict", "clean", "identical"] as const;

type Counts = Record<Overlap["verdict"], number>;

/** Gives those of a picture that may meet, in the order in which to merge; those that it does not name come last. */
export function inOrder(picture: Picture, order: OrderAnswer | undefined): Worktree[] {
  const meeting = new Set(picture.overlaps.flatMap((overlap) => sidesOf(overlap, picture)));
  const isTrunk = ({ branch }: Worktree): boolean => branch !== null && branch === picture.trunk?.branch;
  const shown = picture.worktrees.filter((one) => meeting.has(one.path) || !(one.missing || isTrunk(one)));
  const places = new Map((order?.order ?? []).map(({ path }, place) => [path, place]));
  const place = ({ path }: Worktree): number => places.get(path) ?? places.size;
  return [...shown].sort((a, b) => place(a) - place(b));
}

/** Gives the rows of all that may meet, from the first to be merged to the last. */
export function stairs(picture: Picture, order: OrderAnswer | undefined): Row[] {
  const worktrees = inOrder(picture, order);
  const turns = new Map((order?.order ?? []).map((turn) => [turn.path, turn]));
  const counts = countPairs(picture);
  const isUnsure = unsure(picture, worktrees);
  const trunk = picture.trunk?.branch ?? "trunk";
  return worktrees.map((worktree, place) => {
    const others = [{ id: TRUNK, name: trunk }, ...worktrees.slice(0, place).map(({ path, name }) => ({ id: path, name }))];
    const cells = others.map(({ id, name }) =>
      cell(`${worktree.name} and ${name}`, counts.get(pairKey(worktree.path, id)), isUnsure(worktree.path, id)),
    );
    const step = stepOf(turns.get(worktree.path), worktree, order !== undefined);
    return { id: worktree.path, name: worktree.name, label: rowLabel(worktree, place, step), step, cells };
  });
}

/** Gives what two are called, whichever comes first. */
export function pairKey(one: string, other: string): string {
  return one < other ? `${one}\0${other}` : `${other}\0${one}`;
}

/** Gives the paths of the two worktrees of an overlap; `TRUNK` for trunk. */
export function sidesOf({ sides: [one, other] }: Overlap, picture: Picture): [string, string] {
  return [sidePath(one, picture) ?? TRUNK, sidePath(other, picture) ?? TRUNK];
}

/** For example "2 conflicts, 1 clean"; "" for none. */
export function verdictText(counts: Counts): string {
  const parts = [plural(counts.conflict, "conflict"), ...(["clean", "identical"] as const).map((verdict) =>
    counts[verdict] === 0 ? "" : `${counts[verdict]} ${verdict}`,
  )];
  return parts.filter((part) => part !== "").join(", ");
}

/** Counts by verdict. */
export function countVerdicts(overlaps: Iterable<Overlap>): Counts {
  const counts: Counts = { conflict: 0, clean: 0, identical: 0 };
  for (const { verdict } of overlaps) {
    counts[verdict] += 1;
  }
  return counts;
}

function countPairs(picture: Picture): Map<string, Counts> {
  const found = new Map<string, Counts>();
  for (const overlap of picture.overlaps) {
    const key = pairKey(...sidesOf(overlap, picture));
    const counts = found.get(key) ?? { conflict: 0, clean: 0, identical: 0 };
    counts[overlap.verdict] += 1;
    found.set(key, counts);
  }
  return found;
}

/** Tells of which two it is not known whether they meet: a worktree that could not be read may meet everybody. */
function unsure(picture: Picture, worktrees: readonly Worktree[]): (one: string, other: string) => boolean {
  const paths = (name: string | null): string[] =>
    name === null ? [TRUNK] : worktrees.filter((worktree) => worktree.name === name).map(({ path }) => path);
  const alone = new Set<string>();
  const pairs = new Set<string>();
  for (const { worktree, with: other } of picture.unknown) {
    for (const path of paths(worktree)) {
      if (other === undefined) {
        alone.add(path);
      } else {
        paths(other).forEach((partner) => pairs.add(pairKey(path, partner)));
      }
    }
  }
  return (one, other) => alone.has(one) || alone.has(other) || pairs.has(pairKey(one, other));
}

function cell(pair: string, counts: Counts | undefined, isUnsure: boolean): Cell {
  const worst: Mark | undefined = VERDICTS.find((verdict) => (counts?.[verdict] ?? 0) > 0);
  const unknown = isUnsure ? "there may be more that is not known" : "";
  if (counts === undefined || worst === undefined) {
    const mark = isUnsure ? "unknown" : "none";
    return { mark, count: 0, unsure: isUnsure, label: `${pair}: ${isUnsure ? "not known" : "no overlap"}` };
  }
  const label = [verdictText(counts), unknown].filter((part) => part !== "").join("; ");
  return { mark: worst, count: counts[worst], unsure: isUnsure, label: `${pair}: ${label}` };
}

function stepOf(turn: Turn | undefined, { branch, main }: Worktree, isPlanned: boolean): Step {
  if (turn === undefined) {
    const text = isPlanned && main ? `is not merged: it is the main worktree${branch === null ? "" : `, on ${branch}`}` : "";
    return { state: "unplanned", text };
  }
  if (!turn.ready) {
    return { state: "waits", text: `not ready: ${turn.why ?? ""}` };
  }
  return turn.why === null ? { state: "merges", text: "merges" } : { state: "stops", text: turn.why };
}

function rowLabel({ name, branch, problem }: Worktree, place: number, { state, text }: Step): string {
  const step = { merges: "ready, merges", stops: `ready, stops: ${text}`, waits: text, unplanned: text }[state];
  const parts = [`${place + 1}. ${name}`, branch === null || branch === name ? "" : `branch ${branch}`, step, problem ?? ""];
  return parts.filter((part) => part !== "").join(", ");
}
