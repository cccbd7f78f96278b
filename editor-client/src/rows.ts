/** How the rows of the Worktrees view look, and what they say. */

import { isDeepStrictEqual } from "node:util";

import { lineText, plural, sideName, type Picture, type Worktree } from "./picture";
import type { Landing, Receipt } from "./protocol";
import { agentText, ago, branchText, deedText, distanceText, editsText, joined, KEPT_ICONS, lastSeen, repositoryName, sizeText } from "./words";
import { isHere, meetings, workedOn, type Meeting, type Model, type Node } from "./worktrees";

/** How a row looks; `tooltip` is Markdown. `context` are words that menus ask for; `spoken` is what a screen reader says. */
export interface Row {
  readonly label: string;
  readonly description: string;
  readonly tooltip: string;
  readonly icon: string;
  readonly color?: string;
  readonly context: string;
  readonly spoken: string;
  readonly expands: "no" | "closed" | "open";
}

const HOW: Readonly<Record<string, string>> = { merge: "with a merge commit", squash: "as one commit", rebase: "rebased" };
const VERDICTS = {
  conflict: { icon: "warning", word: "conflicts" },
  clean: { icon: "info", word: "merges cleanly" },
  identical: { icon: "check", word: "same change" },
} as const;
const WARNING = "list.warningForeground";

/** How a row looks; `isEqual` to what it was means that nothing has to be drawn. */
export function row(node: Node, model: Model): Row {
  switch (node.kind) {
    case "trust":
      return plain("Manage Trust", "this folder is not trusted: nothing is merged or released", "shield", { context: "trust" });
    case "repository":
      return plain(repositoryName(node.picture), "", "repo", { context: "repository", tooltip: escaped(node.picture.repository), expands: "open" });
    case "trunk":
      return trunkRow(node, model);
    case "landing":
      return landingRow(node.landing, node.canBeTakenBack, model.now);
    case "worktree":
      return worktreeRow(node.picture, node.worktree, model);
    case "fact":
      return plain(node.fact.label, node.fact.description, node.fact.icon, { context: `fact ${node.fact.next ?? ""}`.trim() });
    case "side":
      return sideRow(node, model);
    case "file":
      return fileRow(node.meeting);
    case "kept": {
      const bytes = node.receipts.reduce((sum, receipt) => sum + receipt.bytes, 0);
      return plain("Can be restored", joined(`${node.receipts.length}`, bytes > 0 ? sizeText(bytes) : ""), "history", { context: "kept", expands: "closed" });
    }
    case "receipt":
      return receiptRow(node.receipt, model.now);
    case "notices":
      return plain("Notices", `${node.notices.length}`, "bell", { context: "notices", expands: "closed" });
    case "notice": {
      const { text, time, isWarning, steps } = node.notice;
      const offered = steps.map(({ title }) => title).join(", ");
      const icon = isWarning ? "warning" : steps.length > 0 ? "bell-dot" : "info";
      return plain(text, joined(ago(time, model.now), offered), icon, { context: words("notice", steps.length > 0 && "open"), tooltip: escaped(text) });
    }
  }
}

export function isEqual(one: Row, other: Row): boolean {
  return isDeepStrictEqual(one, other);
}

function plain(label: string, description: string, icon: string, more: Partial<Row>): Row {
  const spoken = description === "" ? label : `${label}, ${description}`;
  return { label, description, tooltip: escaped(spoken), icon, context: "", spoken, expands: "no", ...more };
}

function trunkRow({ picture, checkout }: Node & { kind: "trunk" }, model: Model): Row {
  const branch = picture.trunk?.branch ?? "";
  const isCurrent = checkout !== undefined && isHere(checkout, model);
  const landed = plural((model.histories.get(picture.repository)?.landings ?? []).filter((one) => !one.taken_back).length, "merge");
  const description = joined("trunk", isCurrent ? "this window" : "", checkout ? editsText(checkout) : "", landed, checkout ? agentText(checkout) : "");
  const tooltip = checkout === undefined ? "Trunk is checked out nowhere." : lines(`**${escaped(branch)}**, trunk`, escaped(checkout.path));
  const context = words("trunk", checkout !== undefined && "folder", isCurrent && "here");
  return plain(branch, description, "home", { tooltip, context, spoken: `${branch}, ${description}`, expands: "closed" });
}

function landingRow(landing: Landing, canBeTakenBack: boolean, now: number): Row {
  const how = HOW[landing.strategy] ?? landing.strategy;
  const description = landing.taken_back ? `taken back; merged ${ago(landing.time, now)}` : `merged ${ago(landing.time, now)}, ${how}`;
  const tooltip = lines(`${escaped(landing.worktree)} was merged ${new Date(landing.time * 1000).toLocaleString()}, ${how}.`, `\`${landing.before.slice(0, 10)}\` → \`${landing.after.slice(0, 10)}\``);
  return plain(landing.worktree, description, landing.taken_back ? "discard" : "git-merge", { tooltip, context: words("landing", canBeTakenBack && "restorable") });
}

function worktreeRow(picture: Picture, worktree: Worktree, model: Model): Row {
  const { name, branch, merge, merging } = worktree;
  const isCurrent = isHere(worktree, model);
  const met = (meetings(picture).get(worktree.path) ?? []).filter(({ overlap }) => overlap.verdict === "conflict").length;
  const state = stateText(worktree, picture);
  const description = joined(
    isCurrent ? "this window" : "",
    branch === name ? "" : branchText(worktree),
    state,
    plural(met, "conflict"),
    agentText(worktree),
    worktree.protected ? "protected" : worktree.locked !== null ? "locked" : "",
  );
  const onOther = workedOn(model);
  const context = words(
    "worktree",
    !worktree.missing && "folder",
    isCurrent && "here",
    !worktree.main && "linked",
    !worktree.main && (worktree.protected ? "protected" : worktree.locked === null && "unprotected"),
    !worktree.missing && merge !== null && merging === null && "mergeable",
    onOther !== undefined && !isCurrent && onOther.picture === picture && !worktree.missing && onOther.worktree.merging === null && "incoming",
    merge?.next,
  );
  const [icon, color] = worktreeIcon(worktree, met);
  return {
    label: name,
    description,
    tooltip: worktreeTooltip(picture, worktree, met, model.now),
    icon,
    ...(color === undefined ? {} : { color }),
    context,
    spoken: spokenText(picture, worktree, met, isCurrent),
    expands: isCurrent ? "open" : "closed",
  };
}

function worktreeIcon({ missing, problem, merge, merging, integration }: Worktree, met: number): [string, string?] {
  if (missing || (problem !== null && merge?.next === null)) {
    return ["error", "list.errorForeground"];
  }
  if (merging !== null) {
    return ["git-merge", WARNING];
  }
  if (met > 0) {
    return ["warning", WARNING];
  }
  if (integration.state === "integrated") {
    return ["check-all"];
  }
  return merge?.ready ? ["check", "testing.iconPassed"] : ["git-branch"];
}

/** In a few words what is to be known first. */
function stateText(worktree: Worktree, picture: Picture): string {
  const { merge, merging, missing, integration } = worktree;
  if (missing) {
    return "its folder is gone";
  }
  if (merging !== null) {
    const left = merging.unresolved.length;
    return left === 0 ? "merging, all resolved" : `merging, ${plural(left, "file")} to resolve`;
  }
  if (worktree.unfinished) {
    return `${worktree.unfinished.operation} in progress`;
  }
  if (integration.state === "integrated") {
    return `in ${picture.trunk?.branch ?? "trunk"}`;
  }
  const edits = editsText(worktree);
  if (edits !== "") {
    return edits;
  }
  return merge?.ready ? "ready" : worktree.ahead === 0 ? "no work yet" : "";
}

function sideRow({ worktree, other }: Node & { kind: "side" }, model: Model): Row {
  const clashes = other.meetings.filter(({ overlap }) => overlap.verdict === "conflict").length;
  const description = [plural(clashes, "conflict"), plural(other.meetings.length - clashes, "overlap")].filter((part) => part !== "").join(", ");
  const canMerge = isHere(worktree, model) && worktree.merge !== null && worktree.merging === null;
  const context = words("side", canMerge && (other.path === undefined ? "trunkIncoming" : "incoming"), other.path !== undefined && "folder");
  return plain(`with ${other.name}`, description, clashes > 0 ? "warning" : "git-compare", {
    ...(clashes > 0 ? { color: WARNING } : {}),
    context,
    tooltip: escaped(`${worktree.name} meets ${other.name}: ${description}`),
    spoken: `with ${other.name}, ${description}`,
    expands: "closed",
  });
}

function fileRow({ overlap, own, other }: Meeting): Row {
  const { icon, word } = VERDICTS[overlap.verdict];
  const renamed = other.path === own.path ? "" : `there ${other.path}`;
  const kind = overlap.kind === "content" ? "" : overlap.kind;
  const description = joined(word, kind, lineText(own), renamed);
  return plain(own.path, description, icon, {
    ...(overlap.verdict === "conflict" ? { color: WARNING } : {}),
    context: "file",
    tooltip: escaped(`${own.path}: ${description}, ${sideName(other)}`),
    spoken: `${own.path}, ${description}, ${sideName(other)}`,
  });
}

function receiptRow({ what, worktree, branch, time, bytes }: Receipt, now: number): Row {
  const when = `${deedText(what)} ${ago(time, now)}`;
  const description = joined(branch === null || branch === worktree ? "" : branch, when, bytes > 0 ? sizeText(bytes) : "");
  return plain(worktree, description, KEPT_ICONS[what] ?? "history", { context: words("receipt", what), tooltip: escaped(`${worktree}, ${deedText(what)} ${new Date(time * 1000).toLocaleString()}`) });
}

function worktreeTooltip(picture: Picture, worktree: Worktree, met: number, now: number): string {
  const { name, path, tip, merge, bytes, agents, swept_by: tool } = worktree;
  return lines(
    `**${escaped(name)}**, ${escaped(branchText(worktree))}`,
    tip === null ? "" : `${escaped(tip.subject)} (${ago(tip.time, now)}, ${escaped(tip.author)})`,
    distanceText(worktree, picture),
    editsText(worktree),
    plural(met, "conflict"),
    merge?.ready ? "Ready to be merged" : escaped(merge?.why ?? ""),
    ...agents.map((agent) => `${escaped(agent.client)} is here; ${lastSeen(agent, now)}`),
    worktree.protected ? "Protected" : worktree.locked === null ? "" : "Locked",
    tool === null ? "" : `${escaped(tool)} will delete this one by itself`,
    bytes === null ? "" : `${sizeText(bytes.total)}, ${sizeText(bytes.reclaimable)} of it can be freed`,
    escaped(path),
  );
}

function spokenText(picture: Picture, worktree: Worktree, met: number, isCurrent: boolean): string {
  const parts = [
    worktree.name,
    worktree.branch === null && !worktree.unfinished ? "detached" : `branch ${branchText(worktree)}`,
    isCurrent ? "this window" : "",
    stateText(worktree, picture),
    distanceText(worktree, picture),
    plural(met, "conflict"),
    agentText(worktree),
    worktree.protected ? "protected" : "",
  ];
  return [...new Set(parts)].filter((part) => part !== "").join(", ");
}

function words(...parts: readonly (string | false | null | undefined)[]): string {
  return parts.filter(Boolean).join(" ");
}

function lines(...parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join("\n\n");
}

/** A text whose characters mean nothing in Markdown. */
function escaped(text: string): string {
  return text.replace(/[\\`*_{}[\]()#+\-.!<>|~&$]/g, "\\$&").replaceAll("\n", " ");
}
