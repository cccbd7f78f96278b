/** Says in sentences what the overlap map shows. */

import { countText, plural, reasons, sightings, type Picture } from "../picture";
import type { KnownOrder } from "./order";

/** Gives what there is, and of what it is not known. */
export function summary(picture: Picture): string {
  const count = picture.worktrees.filter((one) => !one.missing).length;
  const overlaps = countText(sightings([picture], [])) || "no overlap";
  const [first, ...more] = reasons([picture]);
  const left = more.length === 1 ? "There is 1 more thing" : `There are ${more.length} more things`;
  const others = more.length === 0 ? [] : [`${left} not known.`];
  return [`${plural(count, "worktree") || "No worktree"}, ${overlaps}.`, ...(first === undefined ? [] : [first]), ...others].join(" ");
}

/** Gives what is known of the order in which to merge; `held` while a newer one is kept from view. */
export function orderText({ order, isCurrent }: KnownOrder, held: boolean): string {
  if (order === undefined) {
    return held
      ? "The order in which to merge is shown as soon as you leave the table."
      : "The order in which to merge is being found...";
  }
  if (order.order === undefined) {
    return (order.findings ?? []).map(({ message }) => message).join(" ");
  }
  const ready = order.order.filter((turn) => turn.ready).length;
  const met = order.conflicts ?? 0;
  const best = order.exact === true ? "no other order has fewer" : "another order may have fewer";
  const conflicts = met === 0 ? "without a conflict" : `with ${plural(met, "conflict")} on the way; ${best}`;
  const text = ready === 0 ? "None is ready to be merged." : `${ready} can be merged in this order, ${conflicts}.`;
  if (held) {
    return `${text} A newer order is shown as soon as you leave the table.`;
  }
  return isCurrent ? text : `${text} Something has changed since; the order is being found anew.`;
}
