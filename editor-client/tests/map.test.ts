import assert from "node:assert/strict";
import { test } from "node:test";

import { chosen, comparison } from "../src/map/files";
import { summary } from "../src/map/sentences";
import type { Row } from "../src/map/shown";
import { stairs, TRUNK } from "../src/map/stairs";
import type { Overlap, Picture, Side, Unknown, Worktree } from "../src/picture";
import type { OrderAnswer, Turn } from "../src/protocol";

const side = (worktree: string | null, path: string, line = 3, worktree_path?: string): Side => ({
  worktree,
  ref: worktree ?? "main",
  path,
  regions: [{ start: line, end: line }],
  ...(worktree_path === undefined ? {} : { worktree_path }),
});

const overlap = (verdict: Overlap["verdict"], one: Side, two: Side): Overlap => ({
  path: one.path,
  verdict,
  kind: "content",
  sides: [one, two],
});

const worktree = (name: string, path = `/trees/${name}`): Worktree => ({
  name,
  path,
  main: name === "shop",
  branch: name === "shop" ? "main" : name,
  head: "1".repeat(40),
  missing: false,
  locked: null, protected: false, tip: null, merging: null, merge: null, swept_by: null, agents: [],
  changes: { committed: 1, staged: 0, unstaged: 0, untracked: 0 },
  ahead: 1,
  behind: 0,
  integration: { state: "not-integrated" },
  bytes: null,
  problem: null,
});

const picture = (overlaps: Overlap[], unknown: Unknown[] = [], worktrees = ["shop", "a", "b", "c"].map((it) => worktree(it))): Picture => ({
  repository: "/shop/.git",
  trunk: { branch: "main", commit: "2".repeat(40) },
  worktrees,
  overlaps,
  unknown,
});

const turn = (name: string, ready = true, why: string | null = null): Turn => ({ worktree: name, path: `/trees/${name}`, ready, why });
const order = (...turns: Turn[]): OrderAnswer => ({ order: turns, conflicts: 0, exact: true });
const marks = (rows: readonly Row[]): string[][] =>
  rows.map(({ name, cells }) => [name, ...cells.map(({ mark, count }) => `${mark} ${count}`)]);

void test("each two meet in one cell: with trunk first, then with those above, the worst verdict and its files", () => {
  const rows = stairs(
    picture([
      overlap("clean", side("a", "x"), side("b", "x")),
      overlap("conflict", side("b", "y"), side("a", "y")),
      overlap("identical", side("c", "z"), side(null, "z")),
      overlap("clean", side("c", "v"), side("a", "v")),
      overlap("clean", side("c", "w"), side("a", "w")),
    ]),
    undefined,
  );
  assert.deepEqual(marks(rows), [
    ["a", "none 0"],
    ["b", "none 0", "conflict 1"],
    ["c", "identical 1", "clean 2", "none 0"],
  ]);
  assert.equal(rows[1]?.cells[1]?.label, "b and a: 1 conflict, 1 clean");
  assert.equal(rows[2]?.cells[0]?.label, "c and main: 1 identical");
});

void test("rows come in the order in which to merge, each with what its merge meets there", () => {
  const rows = stairs(picture([]), order(turn("c"), turn("a", true, "Conflicts with c in x."), turn("b", false, "It is broken.")));
  assert.deepEqual(
    rows.map(({ name, step }) => [name, step.state, step.text]),
    [["c", "merges", "merges"], ["a", "stops", "Conflicts with c in x."], ["b", "waits", "not ready: It is broken."]],
  );
  assert.equal(rows[1]?.label, "2. a, ready, stops: Conflicts with c in x.");
});

void test("a worktree that the order does not name yet comes last, and nothing is said of its merge", () => {
  const rows = stairs(picture([]), order(turn("c"), turn("a")));
  assert.deepEqual(rows.map(({ name, step }) => [name, step.state]), [["c", "merges"], ["a", "merges"], ["b", "unplanned"]]);
});

void test("trunk's checkout has a row only where something that is not committed there meets others", () => {
  assert.deepEqual(stairs(picture([]), undefined).map(({ name }) => name), ["a", "b", "c"]);
  const edited = picture([overlap("clean", side("shop", "x"), side("a", "x"))]);
  assert.deepEqual(stairs(edited, order(turn("a"), turn("b"), turn("c"))).map(({ name }) => name), ["a", "b", "c", "shop"]);
});

void test("what is not known is never shown as nothing", () => {
  const broken = { worktree: "b", reason: "It can't be read." };
  const pair = { worktree: "c", with: null, reason: "They could not be merged." };
  const rows = stairs(picture([overlap("clean", side("a", "x"), side("b", "x"))], [broken, pair]), undefined);
  assert.deepEqual(marks(rows), [
    ["a", "none 0"],
    ["b", "unknown 0", "clean 1"],
    ["c", "unknown 0", "none 0", "unknown 0"],
  ]);
  assert.equal(rows[1]?.cells[1]?.label, "b and a: 1 clean; there may be more that is not known");
  const said = chosen(picture([], [broken, pair]), { row: "/trees/c", column: TRUNK }, undefined);
  assert.equal(said?.text, "No overlap. They could not be merged.");
});

void test("two worktrees with one name are two rows", () => {
  const worktrees = [worktree("shop"), worktree("task", "/one/task"), worktree("task", "/two/task")];
  const meeting = overlap("conflict", side("task", "x", 3, "/one/task"), side("task", "x", 5, "/two/task"));
  const shown = picture([meeting], [], worktrees);
  assert.deepEqual(marks(stairs(shown, undefined)), [["task", "none 0"], ["task", "none 0", "conflict 1"]]);
  const choice = { row: "/two/task", column: "/one/task" };
  const file = chosen(shown, choice, undefined)?.files[0];
  assert.deepEqual(comparison(shown, choice, file?.id ?? "", []), { file: "/two/task/x", worktree: "/one/task", line: 5 });
});

void test("the files of two come with conflicts first, and both sides' lines", () => {
  const shown = picture([
    overlap("clean", side("a", "x", 3), side("b", "x", 7)),
    overlap("conflict", side("a", "y", 1), side("b", "moved/y", 2)),
    overlap("conflict", side("a", "z"), side("c", "z")),
  ]);
  const found = chosen(shown, { row: "/trees/b", column: "/trees/a" }, undefined);
  assert.equal(found?.title, "b and a");
  assert.deepEqual(
    found.files.map(({ mark, path, details }) => [mark, path, details]),
    [
      ["conflict", "moved/y", "y in a · b line 2; a line 1"],
      ["clean", "x", "b line 7; a line 3"],
    ],
  );
});

void test("of a worktree all that it meets is listed, with what can be done with it", () => {
  const shown = picture([overlap("clean", side("a", "x"), side("b", "x")), overlap("clean", side("a", "y"), side(null, "y"))]);
  const found = chosen(shown, { row: "/trees/a", column: null }, order(turn("a")));
  assert.deepEqual([found?.title, found?.text, found?.actions], ["a", "2 clean. Ready, and merges at its place.", ["merge", "open"]]);
  assert.deepEqual(found?.files.map(({ details }) => details.split(" · ")[0]), ["with b", "with main"]);
  assert.equal(chosen(shown, { row: "/trees/gone", column: null }, undefined), null);
});

void test("this window's version is compared with the other's, a worktree's with trunk's", () => {
  const shown = picture([
    overlap("clean", side("a", "x", 3), side("b", "x", 7)),
    overlap("clean", side(null, "y", 2), side("a", "y", 4)),
  ]);
  const compared = (row: string, column: string, folders: string[]): unknown => {
    const choice = { row, column };
    return comparison(shown, choice, chosen(shown, choice, undefined)?.files[0]?.id ?? "", folders);
  };
  assert.deepEqual(compared("/trees/b", "/trees/a", []), { file: "/trees/b/x", worktree: "/trees/a", line: 7 });
  assert.deepEqual(compared("/trees/b", "/trees/a", ["/trees/a"]), { file: "/trees/a/x", worktree: "/trees/b", line: 3 });
  assert.deepEqual(compared("/trees/a", TRUNK, []), { file: "/trees/a/y", worktree: null, line: 4 });
});

void test("what there is is said in whole sentences, also where there is none or one", () => {
  const why = (reason: string): Unknown => ({ worktree: "a", reason });
  const said = (...reasons: string[]): string => summary(picture([], reasons.map(why)));
  assert.equal(said(), "4 worktrees, no overlap.");
  assert.equal(said("First.", "Second."), "4 worktrees, no overlap. First. There is 1 more thing not known.");
  assert.equal(said("First.", "Second.", "Third."), "4 worktrees, no overlap. First. There are 2 more things not known.");
  assert.equal(summary(picture([], [], [])), "No worktree, no overlap.");
});
