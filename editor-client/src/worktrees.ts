/** What the Worktrees view shows, as plain values: which rows there are, and below which. */

import type { Step } from "./notices";
import { isShown, plural, sideName, sidePath, within, type Next, type Overlap, type Picture, type Side, type Worktree } from "./picture";
import type { History, Landing, Receipt } from "./protocol";
import { ago, distanceText, editsText, joined, lastSeen, sizeText } from "./words";

/** Something that was said to the person, and when, in seconds since 1970. */
export interface Notice {
  readonly number: number;
  readonly text: string;
  readonly time: number;
  readonly isWarning: boolean;
  /** What can be done about it now. */
  readonly steps: readonly Step[];
}

/** All that the view is made of; `folders` are the window's, `now` is in seconds since 1970. */
export interface Model {
  readonly pictures: readonly Picture[];
  readonly histories: ReadonlyMap<string, History>;
  readonly notices: readonly Notice[];
  readonly folders: readonly string[];
  readonly isTrusted: boolean;
  readonly now: number;
}

/** One side's part in an overlap: the file of the row's worktree, and what it meets. */
export interface Meeting {
  readonly overlap: Overlap;
  readonly own: Side;
  readonly other: Side;
}

/** What a row is about; `id` stays the same as long as it is about the same thing. */
export type Node = { readonly id: string } & (
  | { readonly kind: "trust" }
  | { readonly kind: "repository"; readonly picture: Picture }
  | { readonly kind: "trunk"; readonly picture: Picture; readonly checkout: Worktree | undefined }
  | { readonly kind: "landing"; readonly picture: Picture; readonly landing: Landing; readonly canBeTakenBack: boolean }
  | { readonly kind: "worktree"; readonly picture: Picture; readonly worktree: Worktree }
  | { readonly kind: "fact"; readonly picture: Picture; readonly worktree: Worktree; readonly fact: Fact }
  | { readonly kind: "side"; readonly picture: Picture; readonly worktree: Worktree; readonly other: Other }
  | { readonly kind: "file"; readonly picture: Picture; readonly worktree: Worktree; readonly meeting: Meeting }
  | { readonly kind: "kept"; readonly repository: string; readonly receipts: readonly Receipt[] }
  | { readonly kind: "receipt"; readonly repository: string; readonly receipt: Receipt }
  | { readonly kind: "notices"; readonly notices: readonly Notice[] }
  | { readonly kind: "notice"; readonly notice: Notice }
);

/** A line about a worktree; `next` is what a click does. */
export interface Fact {
  readonly name: string;
  readonly label: string;
  readonly description: string;
  readonly icon: string;
  readonly next: Next | null;
}

/** Whom a worktree meets: `path` is undefined for trunk. */
export interface Other {
  readonly name: string;
  readonly path: string | undefined;
  readonly meetings: readonly Meeting[];
}

/** The rows at the top; none where the view has something to say instead. */
export function roots(model: Model): Node[] {
  const own = model.pictures.length === 1 ? belowRepository(model, model.pictures[0]) : model.pictures.map(
    (picture): Node => ({ id: picture.repository, kind: "repository", picture }),
  );
  if (own.length === 0) {
    return [];
  }
  const trust: Node[] = model.isTrusted ? [] : [{ id: "trust", kind: "trust" }];
  const notices: Node[] = model.notices.length === 0 ? [] : [{ id: "notices", kind: "notices", notices: model.notices }];
  return [...trust, ...own, ...notices];
}

/** The rows below one. */
export function children(node: Node, model: Model): Node[] {
  switch (node.kind) {
    case "repository":
      return belowRepository(model, node.picture);
    case "trunk":
      return belowTrunk(node, model);
    case "worktree":
      return belowWorktree(node.picture, node.worktree, node.id, model);
    case "side":
      return node.other.meetings.map((meeting) => ({
        id: `${node.id}\0${meeting.own.path}\0${meeting.other.path}`,
        kind: "file",
        picture: node.picture,
        worktree: node.worktree,
        meeting,
      }));
    case "kept":
      return node.receipts.map((receipt) => ({ id: `${node.id}\0${receipt.id}`, kind: "receipt", repository: node.repository, receipt }));
    case "notices":
      return [...node.notices].reverse().map((notice) => ({ id: `notice\0${notice.number}`, kind: "notice", notice }));
    default:
      return [];
  }
}

/** What the view says where there is nothing else to show; empty words hide it. */
export function welcome(model: Model, isRunning: boolean, isSettled: boolean): "" | "starting" | "none" | "alone" | "stopped" {
  if (model.pictures.length > 0) {
    return roots(model).length === 0 ? "alone" : "";
  }
  return !isRunning ? "stopped" : isSettled ? "none" : "starting";
}

/** How many conflicts there are: with what this window shows, or, where it shows only trunk, between all others. */
export function conflicts({ pictures, folders }: Model): { readonly count: number; readonly areHere: boolean } {
  let all = 0;
  let here = 0;
  for (const picture of pictures) {
    const shown = new Set(picture.worktrees.map(({ path }) => path).filter((path) => isShown(path, folders)));
    for (const { verdict, sides } of picture.overlaps) {
      if (verdict === "conflict") {
        all += 1;
        here += sides.some((side) => shown.has(sidePath(side, picture) ?? "")) ? 1 : 0;
      }
    }
  }
  return here > 0 ? { count: here, areHere: true } : { count: all, areHere: false };
}

/** The worktrees that the window shows: of each folder the innermost. */
export function currentWorktrees(picture: Picture, folders: readonly string[]): Worktree[] {
  const inner = folders.map((folder) => picture.worktrees
    .filter(({ path }) => within(folder, path))
    .reduce<Worktree | undefined>((best, one) => (best === undefined || one.path.length > best.path.length ? one : best), undefined));
  return [...new Set(inner)].filter((one) => one !== undefined);
}

interface Shown {
  readonly picture: Picture;
  readonly worktree: Worktree;
}

const shownBy = new WeakMap<Model, readonly Shown[]>();

/** The worktrees that the window shows; found once for a model. */
function shownWorktrees(model: Model): readonly Shown[] {
  const known = shownBy.get(model) ?? model.pictures.flatMap((picture) =>
    currentWorktrees(picture, model.folders).map((worktree) => ({ picture, worktree })));
  shownBy.set(model, known);
  return known;
}

/** The one worktree beside trunk that the window shows. */
export function workedOn(model: Model): Shown | undefined {
  const [first, ...more] = shownWorktrees(model);
  return more.length === 0 && first?.worktree.merge ? first : undefined;
}

function belowRepository(model: Model, picture: Picture | undefined): Node[] {
  if (picture === undefined) {
    return [];
  }
  const { repository, trunk, worktrees } = picture;
  const history = model.histories.get(repository);
  const receipts = history?.receipts ?? [];
  const shown = worktrees.filter(({ merge }) => merge !== null);
  if (shown.length === 0 && receipts.length === 0 && (history?.landings ?? []).length === 0) {
    return [];
  }
  const checkout = worktrees.find(({ branch }) => branch !== null && branch === trunk?.branch);
  const top: Node[] = trunk === null ? [] : [{ id: `${repository}\0trunk`, kind: "trunk", picture, checkout }];
  const rest = trunk === null ? worktrees : shown;
  return [
    ...top,
    ...rest.map((worktree): Node => ({ id: `${repository}\0${worktree.path}`, kind: "worktree", picture, worktree })),
    ...(receipts.length === 0 ? [] : [{ id: `${repository}\0kept`, kind: "kept", repository, receipts } as const]),
  ];
}

function belowTrunk({ id, picture, checkout }: Node & { kind: "trunk" }, model: Model): Node[] {
  const facts = checkout === undefined ? [] : [tipFact(checkout, model.now), editsFact(checkout), ...presence(checkout, model.now)];
  const history = model.histories.get(picture.repository);
  const back = new Set((history?.receipts ?? []).map((receipt) => receipt.id));
  return [
    ...factNodes(id, picture, checkout, facts),
    ...(history?.landings ?? []).map((landing): Node =>
      ({ id: `${id}\0${landing.id}`, kind: "landing", picture, landing, canBeTakenBack: back.has(landing.id) })),
  ];
}

function belowWorktree(picture: Picture, worktree: Worktree, id: string, model: Model): Node[] {
  const facts = [
    nextFact(worktree, picture),
    tipFact(worktree, model.now),
    distanceFact(worktree, picture),
    ...presence(worktree, model.now),
    sweeperFact(worktree),
    problemFact(worktree),
  ];
  return [
    ...factNodes(id, picture, worktree, facts),
    ...others(picture, worktree).map((other): Node => ({ id: `${id}\0with\0${other.path ?? ""}`, kind: "side", picture, worktree, other })),
  ];
}

function factNodes(id: string, picture: Picture, worktree: Worktree | undefined, facts: readonly (Fact | undefined)[]): Node[] {
  return facts.flatMap((fact) =>
    (fact === undefined || worktree === undefined ? [] : [{ id: `${id}\0fact\0${fact.name}`, kind: "fact", picture, worktree, fact } as const]));
}

function fact(name: string, label: string, description: string, icon: string, next: Next | null = null): Fact {
  return { name, label, description, icon, next };
}

function nextFact({ merge, merging }: Worktree, picture: Picture): Fact | undefined {
  if (!merge) {
    return undefined;
  }
  const branch = picture.trunk?.branch ?? "trunk";
  switch (merge.next) {
    case "merge":
      return fact("next", `Merge into ${branch}`, merge.why ?? "it is ready", "git-merge", "merge");
    case "update":
      return fact("next", `Merge ${branch} into it`, merge.why ?? "", "git-pull-request-go-to-changes", "update");
    case "release":
      return fact("next", "Release", merge.why ?? "", "archive", "release");
    case "continue":
      return fact("next", "Continue the merge", "all is resolved", "check", "continue");
    case "resolve":
      return fact("next", `Resolve ${plural(merging?.unresolved.length ?? 0, "file")}`, (merging?.unresolved ?? []).join(", "), "warning", "resolve");
    case null:
      return fact("next", merge.why ?? "", "", "circle-slash");
  }
}

function tipFact({ tip }: Worktree, now: number): Fact | undefined {
  return tip === null ? undefined : fact("tip", tip.subject, `${ago(tip.time, now)}, ${tip.author}`, "git-commit");
}

function distanceFact(worktree: Worktree, picture: Picture): Fact | undefined {
  const size = worktree.bytes === null ? "" : sizeText(worktree.bytes.total);
  const [label, ...rest] = [distanceText(worktree, picture), editsText(worktree), size].filter((part) => part !== "");
  return label === undefined ? undefined : fact("distance", label, joined(...rest), "arrow-swap");
}

function editsFact(worktree: Worktree): Fact | undefined {
  const edits = editsText(worktree);
  return edits === "" ? undefined : fact("edits", edits, "edited directly on trunk", "edit");
}

function presence({ agents }: Worktree, now: number): Fact[] {
  return agents.map((agent, number) => fact(`agent ${number}`, `${agent.client} is here`, lastSeen(agent, now), "robot"));
}

function sweeperFact({ swept_by: tool }: Worktree): Fact | undefined {
  return tool === null ? undefined : fact("sweeper", `${tool} will delete this one by itself`, "protect it, or merge it", "flame");
}

function problemFact({ problem, merge }: Worktree): Fact | undefined {
  return problem === null || problem === merge?.why ? undefined : fact("problem", problem, "", "warning");
}

/** Whom a worktree meets, by name; trunk first. */
function others(picture: Picture, worktree: Worktree): Other[] {
  const found = new Map<string, { name: string; path: string | undefined; meetings: Meeting[] }>();
  for (const meeting of meetings(picture).get(worktree.path) ?? []) {
    const path = sidePath(meeting.other, picture);
    const other = found.get(path ?? "") ?? { name: sideName(meeting.other), path, meetings: [] };
    other.meetings.push(meeting);
    found.set(path ?? "", other);
  }
  for (const { meetings: list } of found.values()) {
    list.sort((a, b) => order(a.own.path, b.own.path) || order(a.other.path, b.other.path));
  }
  return [...found.values()].sort((a, b) => Number(a.path !== undefined) - Number(b.path !== undefined) || order(a.name, b.name));
}

const known = new WeakMap<Picture, ReadonlyMap<string, readonly Meeting[]>>();

/** What each worktree meets, by its path: made once for a picture. */
export function meetings(picture: Picture): ReadonlyMap<string, readonly Meeting[]> {
  const before = known.get(picture);
  if (before !== undefined) {
    return before;
  }
  const found = new Map<string, Meeting[]>();
  for (const overlap of picture.overlaps) {
    const [first, second] = overlap.sides;
    for (const [own, other] of [[first, second], [second, first]] as const) {
      const path = sidePath(own, picture);
      if (path !== undefined) {
        const list = found.get(path) ?? [];
        list.push({ overlap, own, other });
        found.set(path, list);
      }
    }
  }
  known.set(picture, found);
  return found;
}

function order(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

export function isHere(worktree: Worktree, model: Model): boolean {
  return shownWorktrees(model).some((shown) => shown.worktree === worktree);
}
