/** Numbers, and worktrees, as a person reads them. */

import * as path from "node:path";

import { plural, type Agent, type Picture, type Worktree } from "./picture";

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** `5 minutes ago`: how long before now a time (seconds since 1970) was. */
export function ago(time: number, now: number = Date.now() / 1000): string {
  const seconds = Math.max(0, Math.round(now - time));
  const [size, unit] = seconds < MINUTE ? [1, "second"] : seconds < HOUR ? [MINUTE, "minute"] : seconds < DAY ? [HOUR, "hour"] : [DAY, "day"];
  const count = Math.floor(seconds / size);
  return `${count} ${unit}${count === 1 ? "" : "s"} ago`;
}

export function sizeText(bytes: number): string {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  const power = bytes < 1000 ? 0 : Math.min(Math.floor(Math.log10(bytes) / 3), units.length - 1);
  const amount = bytes / 1000 ** power;
  return `${power === 0 || amount >= 100 ? Math.round(amount) : amount.toFixed(1)} ${units[power] ?? ""}`;
}

export function lastSeen({ since, edited }: Agent, now: number): string {
  return edited === null ? `begun ${ago(since, now)}` : `last edit ${ago(edited, now)}`;
}

const DEEDS: Readonly<Record<string, string>> = { merge: "merged", release: "released", vanished: "vanished", wiped: "wiped" };

/** The icons of what can be restored, by what happened to it. */
export const KEPT_ICONS: Readonly<Record<string, string>> = { merge: "git-merge", release: "archive", vanished: "trash", wiped: "discard" };

/** What was done to a worktree of which a receipt tells. */
export function deedText(what: string): string {
  return DEEDS[what] ?? what;
}

/** The main worktree's name; a bare repository's own. */
export function repositoryName({ repository, worktrees }: Picture): string {
  return worktrees.find(({ main }) => main)?.name ?? path.basename(repository);
}

/** Where a repository is, as a person knows it: its main worktree, else itself. */
export function repositoryFolder({ repository, worktrees }: Picture): string {
  return worktrees.find(({ main }) => main)?.path ?? repository;
}

/** For example "2 commits ahead of main, 1 behind"; "" where there is nothing to measure from. */
export function distanceText({ ahead, behind, head }: Worktree, picture: Picture): string {
  if (!picture.trunk?.commit || head === null) {
    return "";
  }
  const { branch } = picture.trunk;
  if (ahead === 0 && behind === 0) {
    return `level with ${branch}`;
  }
  if (ahead === 0) {
    return `${plural(behind, "commit")} behind ${branch}`;
  }
  return `${plural(ahead, "commit")} ahead of ${branch}${behind === 0 ? "" : `, ${behind} behind`}`;
}

export function editsText({ changes: { staged, unstaged, untracked } }: Worktree): string {
  const count = staged + unstaged + untracked;
  return count === 0 ? "" : `${count} uncommitted`;
}

export function agentText({ agents }: Worktree): string {
  return [...new Set(agents.map(({ client }) => client))].join(" and ");
}

/** Its branch, also in the middle of a rebase; `detached` without one. */
export function branchText({ branch, unfinished }: Pick<Worktree, "branch" | "unfinished">): string {
  if (branch === null && unfinished) {
    return `${unfinished.branch} (${unfinished.operation === "rebase" ? "rebasing" : "bisecting"})`;
  }
  return branch ?? "detached";
}

export function joined(...parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join(" · ");
}
