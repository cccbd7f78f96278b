/** How verdicts look where there are no colours. */

import type { Mark } from "../src/map/shown";

export const GLYPHS: Readonly<Record<Mark, string>> = { conflict: "✕", clean: "○", identical: "=", unknown: "?", none: "" };

export const WORDS: Readonly<Record<Mark, string>> = {
  conflict: "conflict",
  clean: "merges cleanly",
  identical: "the same change",
  unknown: "not known",
  none: "no overlap",
};

/** For example "✕3"; a cell has no room for more than two digits. */
export function markText(mark: Mark, count: number, isUnsure: boolean): string {
  const number = count === 0 ? "" : count > 99 ? "99+" : String(count);
  return `${GLYPHS[mark]}${number}${isUnsure && mark !== "unknown" ? "?" : ""}`;
}
