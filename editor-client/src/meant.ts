/** Which worktree a command is about, by the row that gave it; nothing is guessed where that row is gone. */

import { workedOn, type Model, type Node } from "./worktrees";

/** A worktree that is meant, in its repository. */
export interface Meant {
  readonly worktree: string;
  readonly repository: string;
}

/** The worktree that a command is about: that of a row, or one that is named; none where a key or the palette gave it. */
export function meantBy(argument: unknown, node: Node | undefined): Meant | undefined {
  const named = argument as Partial<Meant> | undefined;
  return typeof named?.worktree === "string" && typeof named.repository === "string"
    ? { worktree: named.worktree, repository: named.repository }
    : ofRow(node);
}

/**
 * What a command is told, of all that it was given. A row's menu gives the row and the selection, and nothing as the row
 * where that is just being drawn again: an id that no row has stands for it, since without any a command would guess.
 */
export function argumentOf(given: readonly unknown[]): unknown {
  return given.length > 1 ? given[0] ?? "" : given[0];
}

/** Whether a command was given by a row that has gone since, as rows do while a menu is open. */
export function isOfGoneRow(argument: unknown, node: Node | undefined): boolean {
  return typeof argument === "string" && node === undefined;
}

/** The worktree that a row's is merged into: the one that it is shown to meet, or the only one of the window. */
export function receiver(node: Node, model: Model): Meant | undefined {
  if (node.kind === "side") {
    return { worktree: node.worktree.path, repository: node.picture.repository };
  }
  const here = workedOn(model);
  return here && { worktree: here.worktree.path, repository: here.picture.repository };
}

function ofRow(node: Node | undefined): Meant | undefined {
  switch (node?.kind) {
    case "worktree":
    case "fact":
    case "file":
      return { worktree: node.worktree.path, repository: node.picture.repository };
    case "trunk":
      return node.checkout && { worktree: node.checkout.path, repository: node.picture.repository };
    case "side": // of trunk: the worktree that trunk is merged into
      return { worktree: node.other.path ?? node.worktree.path, repository: node.picture.repository };
    default:
      return undefined;
  }
}
