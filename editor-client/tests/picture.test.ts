import assert from "node:assert/strict";
import { test } from "node:test";

import { countText, lineText, reasons, sightings, whomText, type Overlap, type Picture, type Side, type Worktree } from "../src/picture";

const side = (worktree: string | null, path: string, regions: [number, number][] = []): Side => ({
  worktree,
  ref: `refs/heads/${worktree ?? "main"}`,
  path,
  regions: regions.map(([start, end]) => ({ start, end })),
});

const overlap = (verdict: Overlap["verdict"], one: Side, two: Side): Overlap => ({
  path: one.path,
  verdict,
  kind: "content",
  sides: [one, two],
});

const worktree = (name: string): Worktree => ({
  name,
  path: `/trees/${name}`,
  main: name === "shop",
  branch: name,
  head: "1".repeat(40),
  missing: false,
  locked: null,
  protected: false,
  tip: null,
  merging: null,
  changes: { committed: 1, staged: 0, unstaged: 0, untracked: 0 },
  ahead: 1,
  behind: 0,
  integration: { state: "not-integrated" },
  merge: null,
  swept_by: null,
  agents: [],
  bytes: null,
  problem: null,
});

const picture = (overlaps: Overlap[]): Picture => ({
  repository: "/shop/.git",
  trunk: { branch: "shop", commit: "2".repeat(40) },
  worktrees: ["shop", "cart", "cart-2", "mail"].map(worktree),
  overlaps,
  unknown: [],
});

void test("conflicts come first, and this window's before the others", () => {
  const seen = sightings(
    [
      picture([
        overlap("identical", side("cart", "a"), side("mail", "a")),
        overlap("clean", side("cart", "b"), side("mail", "b")),
        overlap("conflict", side("cart-2", "c"), side("mail", "c")),
        overlap("conflict", side("cart", "d"), side("mail", "d")),
      ]),
    ],
    ["/trees/cart"],
  );
  assert.deepEqual(
    seen.map(({ own, here }) => [own.path, here]),
    [["d", true], ["c", false], ["b", true], ["a", true]],
  );
});

void test("the own side is the one that this window shows, whichever comes first", () => {
  const [seen] = sightings([picture([overlap("clean", side("cart", "a"), side("mail", "b"))])], ["/trees/mail"]);
  assert.equal(seen?.own.worktree, "mail");
  assert.equal(seen.other.worktree, "cart");
  assert.deepEqual(seen.files.map(({ file }) => file), ["/trees/mail/b", "/trees/cart/a"]);
});

void test("a folder above or inside a worktree shows it, a neighbour of a similar name does not", () => {
  const pictures = [picture([overlap("clean", side("cart", "a"), side("mail", "a"))])];
  const isHere = (folder: string): boolean | undefined => sightings(pictures, [folder])[0]?.here;
  assert.equal(isHere("/trees"), true);
  assert.equal(isHere("/trees/cart/src"), true);
  assert.equal(isHere("/trees/cart-2"), false);
  assert.equal(isHere("/trees/ca"), false);
});

void test("trunk is never the own side, and has no file on disk", () => {
  const [seen] = sightings([picture([overlap("conflict", side(null, "a"), side("cart", "a"))])], []);
  assert.equal(seen?.own.worktree, "cart");
  assert.equal(seen.here, false);
  assert.deepEqual(seen.files.map(({ file }) => file), ["/trees/cart/a"]);
});

void test("conflicts and overlaps are counted apart, and what there is none of is left out", () => {
  const conflict = overlap("conflict", side("cart", "a"), side("mail", "a"));
  const clean = overlap("clean", side("cart", "b"), side("mail", "b"));
  const count = (overlaps: Overlap[]): string => countText(sightings([picture(overlaps)], []));
  assert.equal(count([conflict, clean, clean]), "1 conflict, 2 overlaps");
  assert.equal(count([conflict, conflict]), "2 conflicts");
  assert.equal(count([clean]), "1 overlap");
  assert.equal(count([]), "");
});

void test("lines read as a person would say them", () => {
  assert.equal(lineText(side("cart", "a", [[3, 3]])), "line 3");
  assert.equal(lineText(side("cart", "a", [[3, 5], [9, 9]])), "lines 3–5, 9");
  assert.equal(lineText(side("cart", "a")), "");
});

void test("what is not known is said once", () => {
  const unknown = [{ worktree: "cart", reason: "What is not committed in cart is not known." }];
  assert.deepEqual(reasons([{ ...picture([]), unknown }, { ...picture([]), unknown }]), [unknown[0]?.reason]);
});

void test("whom this window meets is named where it is one, and counted where they are several", () => {
  const between = (...others: (string | null)[]): string =>
    whomText(sightings([picture(others.map((other) => overlap("conflict", side("cart", "a"), side(other, "a"))))], ["/trees/cart"]));
  assert.equal(between("mail"), "mail");
  assert.equal(between("mail", "mail"), "mail");
  assert.equal(between(null), "trunk");
  assert.equal(between("mail", "cart-2"), "2 worktrees");
  assert.equal(between("mail", null), "trunk and 1 worktree");
});
