/** Makes the list of files of what was chosen in the overlap map, and finds the comparison that each one opens. */

import * as path from "node:path";

import { isShown, lineText, type Overlap, type Picture, type Side, type Worktree } from "../picture";
import type { OrderAnswer } from "../protocol";
import type { Action, Choice, Chosen, File } from "./shown";
import { countVerdicts, sidesOf, TRUNK, verdictText } from "./stairs";

/** What is compared: `file` is on this disk, `worktree` the other's path (null for trunk), `line` the first one of `file`. */
export interface Comparison {
  readonly file: string;
  readonly worktree: string | null;
  readonly line: number;
}

/** Gives what is shown of a choice; null where it is no longer there. */
export function chosen(picture: Picture, choice: Choice, order: OrderAnswer | undefined): Chosen | null {
  const worktree = picture.worktrees.find((one) => one.path === choice.row);
  const other = choice.column === null ? null : nameOf(picture, choice.column);
  if (worktree === undefined || other === undefined) {
    return null;
  }
  const overlaps = overlapsOf(picture, choice);
  const turn = order?.order?.find((one) => one.path === worktree.path);
  const counts = verdictText(countVerdicts(overlaps)) || "no overlap";
  const text = [turn && other === null ? stepText(turn) : "", worktree.problem ?? "", ...unknownReasons(picture, worktree, other)];
  const actions: Action[] = other !== null || worktree.missing ? [] : turn?.ready ? ["merge", "open"] : ["open"];
  return {
    title: other === null ? worktree.name : `${worktree.name} and ${other}`,
    text: [`${counts[0]?.toUpperCase() ?? ""}${counts.slice(1)}.`, ...text].filter((part) => part !== "").join(" "),
    files: overlaps.map((overlap) => fileOf(picture, choice, overlap)),
    actions,
  };
}

/** Gives what to compare for a file of a choice: this window's version with the other, where one is this window's. */
export function comparison(
  picture: Picture,
  choice: Choice,
  file: string,
  folders: readonly string[],
): Comparison | undefined {
  const overlap = overlapsOf(picture, choice).find((one) => idOf(picture, one) === file);
  if (overlap === undefined) {
    return undefined;
  }
  const paths = sidesOf(overlap, picture);
  const isHere = (place: string): boolean => place !== TRUNK && isShown(place, folders);
  const rowIsOwn = paths[0] === choice.row ? 0 : 1;
  const own = [0, 1].find((at) => isHere(paths[at] ?? "")) ?? (paths[rowIsOwn] === TRUNK ? 1 - rowIsOwn : rowIsOwn);
  const side = overlap.sides[own === 0 ? 0 : 1];
  const [mine, other] = own === 0 ? paths : [paths[1], paths[0]];
  return {
    file: path.join(mine, side.path),
    worktree: other === TRUNK ? null : other,
    line: side.regions[0]?.start ?? 1,
  };
}

function overlapsOf(picture: Picture, { row, column }: Choice): Overlap[] {
  const rank = { conflict: 0, clean: 1, identical: 2 };
  return picture.overlaps
    .filter((overlap) => {
      const paths = sidesOf(overlap, picture);
      return paths.includes(row) && (column === null || paths.includes(column));
    })
    .sort((a, b) => rank[a.verdict] - rank[b.verdict] || a.path.localeCompare(b.path));
}

function fileOf(picture: Picture, { row, column }: Choice, overlap: Overlap): File {
  const paths = sidesOf(overlap, picture);
  const [own, other] = paths[0] === row ? overlap.sides : [overlap.sides[1], overlap.sides[0]];
  const partner = paths[0] === row ? paths[1] : paths[0];
  const name = nameOf(picture, partner) ?? "";
  const moved = other.path === own.path ? "" : `${other.path} in ${name}`;
  const lines = [sideText(nameOf(picture, row) ?? "", own), sideText(name, other)].filter((part) => part !== "").join("; ");
  const kind = overlap.kind === "content" ? "" : overlap.kind;
  const whom = column === null ? `with ${name}` : "";
  const details = [whom, kind, moved, lines].filter((part) => part !== "").join(" · ");
  return { id: idOf(picture, overlap), mark: overlap.verdict, path: own.path, details };
}

function sideText(name: string, side: Side): string {
  const lines = lineText(side);
  return lines === "" ? "" : `${name} ${lines}`;
}

function idOf(picture: Picture, overlap: Overlap): string {
  return [...sidesOf(overlap, picture), ...overlap.sides.map((side) => side.path)].join("\0");
}

function nameOf(picture: Picture, id: string): string | undefined {
  return id === TRUNK ? (picture.trunk?.branch ?? "trunk") : picture.worktrees.find((one) => one.path === id)?.name;
}

function stepText({ ready, why }: { readonly ready: boolean; readonly why: string | null }): string {
  if (!ready) {
    return `Not ready. ${why ?? ""}`;
  }
  return why === null ? "Ready, and merges at its place." : `Ready, but at its place the merge stops. ${why}`;
}

function unknownReasons(picture: Picture, { name }: Worktree, other: string | null): string[] {
  const trunk = picture.trunk?.branch ?? "trunk";
  const reasons = picture.unknown.filter((one) => {
    const parties = [one.worktree ?? trunk, ...(one.with === undefined ? [] : [one.with ?? trunk])];
    const isOfPair = parties.length > 1;
    return other === null || isOfPair
      ? parties.includes(name) && (other === null || parties.includes(other))
      : parties.includes(name) || parties.includes(other);
  });
  return [...new Set(reasons.map(({ reason }) => reason))];
}
