import assert from "node:assert/strict";
import { test } from "node:test";

import type { Overlap, Picture, Side, Worktree } from "../src/picture";
import { argumentOf, isOfGoneRow, meantBy, receiver } from "../src/meant";
import type { History } from "../src/protocol";
import { row, type Row } from "../src/rows";
import { distanceText } from "../src/words";
import { children, conflicts, roots, welcome, workedOn, type Model, type Node } from "../src/worktrees";

const NOW = 1_000_000;

const side = (worktree: string | null, path: string, start = 3): Side => ({
  worktree,
  ref: worktree ?? "main",
  path,
  regions: [{ start, end: start + 1 }],
});

const overlap = (verdict: Overlap["verdict"], one: Side, two: Side): Overlap =>
  ({ path: one.path, verdict, kind: "content", sides: [one, two] });

const worktree = (name: string, more: Partial<Worktree> = {}): Worktree => ({
  name,
  path: `/trees/${name}`,
  main: false,
  branch: name,
  head: "1".repeat(40),
  missing: false,
  locked: null,
  protected: false,
  tip: { subject: `Work in ${name}`, author: "Ada", time: NOW - 300 },
  merging: null,
  changes: { committed: 1, staged: 0, unstaged: 0, untracked: 0 },
  ahead: 1,
  behind: 0,
  integration: { state: "not-integrated" },
  merge: { ready: true, why: null, next: "merge" },
  swept_by: null,
  agents: [],
  bytes: null,
  problem: null,
  ...more,
});

const trunk = worktree("shop", { main: true, branch: "main", merge: null, ahead: 0 });

const picture = (worktrees: readonly Worktree[], overlaps: readonly Overlap[] = []): Picture => ({
  repository: "/trees/shop/.git",
  trunk: { branch: "main", commit: "1".repeat(40) },
  worktrees: [trunk, ...worktrees],
  overlaps,
  unknown: [],
});

const model = (pictures: readonly Picture[], more: Partial<Model> = {}): Model => ({
  pictures,
  histories: new Map(),
  notices: [],
  folders: ["/trees/one"],
  isTrusted: true,
  now: NOW,
  ...more,
});

const history: History = {
  repository: "/trees/shop/.git",
  landings: [
    { id: "merge-2", worktree: "two", branch: "two", time: NOW - 60, before: "a".repeat(40), after: "b".repeat(40), strategy: "merge", taken_back: false },
    { id: "merge-1", worktree: "one", branch: "one", time: NOW - 120, before: "c".repeat(40), after: "a".repeat(40), strategy: "squash", taken_back: true },
  ],
  receipts: [
    { id: "merge-2", what: "merge", worktree: "two", branch: "two", time: NOW - 60, bytes: 0 },
    { id: "release-1", what: "release", worktree: "old", branch: "old", time: NOW - 7200, bytes: 2_500_000 },
  ],
};

const found = (nodes: readonly Node[], kind: Node["kind"], at = 0): Node => {
  const node = nodes.filter((one) => one.kind === kind)[at];
  assert.ok(node, kind);
  return node;
};

void test("trunk is on top, then every worktree, then what can be restored", () => {
  const now = model([picture([worktree("one"), worktree("two")])], { histories: new Map([[history.repository, history]]) });
  assert.deepEqual(roots(now).map(({ kind }) => kind), ["trunk", "worktree", "worktree", "kept"]);
  assert.equal(row(found(roots(now), "trunk"), now).description, "trunk · 1 merge");
  assert.equal(row(found(roots(now), "kept"), now).description, "2 · 2.5 MB");
});

void test("a row says what is to be known first, and its context what can be done", () => {
  const agent = { client: "Codex", since: NOW - 90, edited: NOW - 60 };
  const now = model([picture(
    [worktree("one"), worktree("two", { agents: [agent], branch: "topic", protected: true, locked: "Protected" })],
    [overlap("conflict", side("one", "a"), side("two", "a"))],
  )]);
  const one = row(found(roots(now), "worktree"), now);
  const two = row(found(roots(now), "worktree", 1), now);
  assert.equal(one.description, "this window · ready · 1 conflict");
  assert.equal(two.description, "topic · ready · 1 conflict · Codex · protected");
  assert.deepEqual([one.expands, two.expands], ["open", "closed"]);
  assert.equal(one.context, "worktree folder here linked unprotected mergeable merge");
  assert.equal(two.context, "worktree folder linked protected mergeable incoming merge");
  const detached = model([picture([worktree("one", { branch: null })])]);
  assert.match(row(found(roots(detached), "worktree"), detached).spoken, /^one, detached, /);
  assert.equal(two.spoken, "two, branch topic, ready, 1 commit ahead of main, 1 conflict, Codex, protected");
});

void test("the next step of a merge under way is to resolve, and then to continue", () => {
  const resolve = worktree("one", { merging: { unresolved: ["a", "b"] }, merge: { ready: false, why: "A merge.", next: "resolve" } });
  const now = model([picture([resolve])]);
  const node = found(roots(now), "worktree");
  assert.match(row(node, now).description, /merging, 2 files to resolve/);
  assert.deepEqual(children(node, now).map((one) => row(one, now).label)[0], "Resolve 2 files");
  const done = worktree("one", { merging: { unresolved: [] }, merge: { ready: false, why: "All.", next: "continue" } });
  const later = model([picture([done])]);
  assert.match(row(found(roots(later), "worktree"), later).description, /merging, all resolved/);
  assert.match(row(found(roots(later), "worktree"), later).context, /\bcontinue\b/);
});

void test("files are listed by whom they are met with, in an order that no verdict changes", () => {
  const met = (verdict: Overlap["verdict"]): Model => model([picture([worktree("one"), worktree("two")], [
    overlap("clean", side("one", "b"), side("two", "b")),
    overlap(verdict, side("two", "a"), side("one", "a")),
    overlap("conflict", side("one", "c"), side(null, "c")),
  ])]);
  const sides = (now: Model): Node[] => children(found(roots(now), "worktree"), now).filter(({ kind }) => kind === "side");
  const before = met("clean");
  assert.deepEqual(sides(before).map((one) => [row(one, before).label, row(one, before).description]), [
    ["with trunk", "1 conflict"],
    ["with two", "2 overlaps"],
  ]);
  const [, two] = sides(before);
  assert.ok(two);
  assert.deepEqual(children(two, before).map((one) => row(one, before).label), ["a", "b"]);
  const after = met("conflict");
  const [, again] = sides(after);
  assert.ok(again);
  assert.deepEqual(children(again, after).map(({ id }) => id), children(two, before).map(({ id }) => id));
  assert.equal(row(children(again, after)[0] ?? two, after).description, "conflicts · lines 3–4");
});

void test("what was merged can be taken back only where the server says so", () => {
  const now = model([picture([worktree("one")])], { histories: new Map([[history.repository, history]]) });
  const landings = children(found(roots(now), "trunk"), now).filter(({ kind }) => kind === "landing");
  assert.deepEqual(landings.map((one) => [row(one, now).description, row(one, now).context]), [
    ["merged 1 minute ago, with a merge commit", "landing restorable"],
    ["taken back; merged 2 minutes ago", "landing"],
  ]);
});

void test("with one worktree and nothing to restore there is a word of welcome instead", () => {
  assert.equal(welcome(model([picture([])]), true, true), "alone");
  assert.equal(welcome(model([picture([worktree("one")])]), true, true), "");
  assert.equal(welcome(model([]), true, false), "starting");
  assert.equal(welcome(model([]), true, true), "none");
  assert.equal(welcome(model([]), false, true), "stopped");
});

void test("the badge counts this window's conflicts, else those of all", () => {
  const pictures = [picture([worktree("one"), worktree("two"), worktree("three")], [
    overlap("conflict", side("one", "a"), side("two", "a")),
    overlap("conflict", side("two", "b"), side("three", "b")),
    overlap("clean", side("one", "c"), side("two", "c")),
  ])];
  assert.deepEqual(conflicts(model(pictures)), { count: 1, areHere: true });
  assert.deepEqual(conflicts(model(pictures, { folders: ["/trees/shop"] })), { count: 2, areHere: false });
});

void test("a window of a worktree inside of another one shows the inner one", () => {
  const inner = worktree("inner", { path: "/trees/shop/.claude/worktrees/inner" });
  const now = model([picture([inner])], { folders: ["/trees/shop/.claude/worktrees/inner/src"] });
  assert.equal(workedOn(now)?.worktree.name, "inner");
  assert.equal(workedOn({ ...now, folders: ["/trees/shop"] }), undefined);
});

void test("the distance from trunk is said in words", () => {
  const said = (ahead: number, behind: number): string => distanceText(worktree("one", { ahead, behind }), picture([]));
  assert.deepEqual([said(0, 0), said(1, 0), said(2, 1), said(0, 3)], [
    "level with main", "1 commit ahead of main", "2 commits ahead of main, 1 behind", "3 commits behind main",
  ]);
});

void test("no distance is said from a trunk that is not known, or of a worktree without a commit", () => {
  const alone = { ...picture([]), trunk: null };
  assert.equal(distanceText(worktree("one", { ahead: 0 }), alone), "");
  assert.equal(distanceText(worktree("one", { ahead: 0, head: null }), picture([])), "");
  const now = model([{ ...picture([worktree("one", { ahead: 0, bytes: { total: 2000, reclaimable: 0 } })]), trunk: null }]);
  const labels = children(found(roots(now), "worktree", 1), now).map((one) => row(one, now).label);
  assert.ok(labels.includes("2.0 kB") && !labels.some((label) => label.includes("level")), labels.join());
});

void test("what a row is about is merged into the worktree that it is shown beside, whichever file is looked at", () => {
  const now = model([picture([worktree("one"), worktree("two")], [
    overlap("conflict", side("one", "a"), side("two", "a")),
    overlap("conflict", side("one", "a"), side(null, "a")),
  ])]);
  const [trunkSide, two] = children(found(roots(now), "worktree"), now).filter(({ kind }) => kind === "side");
  assert.ok(trunkSide && two);
  const meant = (name: string): object => ({ worktree: `/trees/${name}`, repository: "/trees/shop/.git" });
  assert.deepEqual([meantBy(two.id, two), receiver(two, now)], [meant("two"), meant("one")]);
  assert.deepEqual(receiver(found(roots(now), "worktree", 1), now), meant("one"));
  assert.deepEqual(meantBy(trunkSide.id, trunkSide), meant("one"), "trunk is merged into that one");
  assert.equal(receiver(found(roots(now), "worktree", 1), { ...now, folders: ["/trees/shop"] }), undefined);
});

void test("a row that went while its menu was open is about nothing, least of all about this window's worktree", () => {
  assert.equal(isOfGoneRow("/trees/shop/.git\0/trees/gone", undefined), true);
  assert.equal(isOfGoneRow(undefined, undefined), false);
  assert.equal(isOfGoneRow(argumentOf([undefined, undefined]), undefined), true);
  assert.equal(isOfGoneRow(argumentOf([]), undefined), false);
  assert.equal(argumentOf(["/trees/shop/.git\0trunk", undefined]), "/trees/shop/.git\0trunk");
  assert.equal(isOfGoneRow(meantBy({ worktree: "/trees/one", repository: "/trees/shop/.git" }, undefined), undefined), false);
});

void test("nothing that a repository names is Markdown in a tooltip", () => {
  const text = "![a*b*](https://example.org/c.png)";
  const notices = [{ number: 1, text, time: NOW, isWarning: false, steps: [{ title: text, run: () => undefined }] }];
  const receipts = [{ id: "release-1", what: "release", worktree: text, branch: text, time: NOW, bytes: 0 }];
  const landings = history.landings.map((one) => ({ ...one, worktree: text }));
  const odd = worktree(text, { tip: { subject: text, author: text, time: NOW }, problem: text, swept_by: text });
  const now = model([picture([odd, worktree("two")], [overlap("conflict", side(text, text), side("two", text))])], {
    notices, histories: new Map([[history.repository, { ...history, receipts, landings }]]),
  });
  const every = (nodes: readonly Node[]): Node[] => nodes.flatMap((node) => [node, ...every(children(node, now))]);
  const tooltips = every(roots(now)).map((node) => row(node, now).tooltip);
  assert.ok(tooltips.filter((tooltip) => tooltip.includes("example")).length > 10);
  assert.deepEqual(tooltips.filter((tooltip) => tooltip.includes("![") || tooltip.includes("a*b*")), []);
});

void test("a notice says what it offers, until it is answered", () => {
  const notice = (steps: readonly string[]): Row => {
    const notices = [{ number: 1, text: "one is gone.", time: NOW, isWarning: false, steps: steps.map((title) => ({ title, run: () => undefined })) }];
    const now = model([picture([worktree("one")])], { notices });
    const list = found(roots(now), "notices");
    return row(found(children(list, now), "notice"), now);
  };
  assert.deepEqual([notice(["Restore", "Dismiss"]).description, notice(["Restore"]).icon], ["0 seconds ago · Restore, Dismiss", "bell-dot"]);
  assert.deepEqual([notice([]).description, notice([]).icon], ["0 seconds ago", "info"]);
});

void test("rows of 50 worktrees with 9,000 overlaps are made at once, those below them when they are opened", () => {
  const names = Array.from({ length: 50 }, (_, at) => `w${at}`);
  const overlaps = Array.from({ length: 9000 }, (_, at) =>
    overlap(at % 3 === 0 ? "conflict" : "clean", side(names[at % 50] ?? "", `f${at}`), side(names[(at + 1 + (at % 7)) % 50] ?? "", `f${at}`)));
  const now = model([picture(names.map((name) => worktree(name)), overlaps)]);
  const begun = performance.now();
  const nodes = roots(now);
  nodes.forEach((node) => row(node, now));
  const took = performance.now() - begun;
  assert.ok(took < 500, `${took} ms`);
  assert.equal(children(found(nodes, "worktree"), now).filter(({ kind }) => kind === "side").length > 0, true);
});
