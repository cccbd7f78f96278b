/** Knows the order in which to merge, as long as somebody looks at it: the server tries orders, which takes a while. */

import * as vscode from "vscode";

import type { Picture } from "../picture";
import type { OrderAnswer, Request } from "../protocol";

/** How many times as long as trying orders took it is not tried again: others need the processor, too. */
const REST = 9;
const LEAST_REST_MILLISECONDS = 1000;
const REST_AFTER_FAILURE_MILLISECONDS = 5000;

/** What is known: `order` is missing before the first answer, `isCurrent` false while something has changed since. */
export interface KnownOrder {
  readonly order?: OrderAnswer;
  readonly isCurrent: boolean;
}

export interface MergeOrder {
  /** Has the order of a picture kept up with it; undefined when nobody looks any more. */
  readonly follow: (picture: Picture | undefined) => void;
  readonly known: () => KnownOrder;
  readonly dispose: () => void;
}

/** Calls `changed` with every new order. */
export function createMergeOrder(request: Request, changed: () => void): MergeOrder {
  let wanted: Picture | undefined;
  let repository: string | undefined;
  let order: OrderAnswer | undefined;
  let asked = "";
  let asking: vscode.CancellationTokenSource | undefined;
  let resting: NodeJS.Timeout | undefined;

  const rest = (milliseconds: number): void => {
    resting = setTimeout(() => {
      resting = undefined;
      void look();
    }, milliseconds);
  };
  const look = async (): Promise<void> => {
    if (wanted === undefined || asking !== undefined || resting !== undefined || whatMatters(wanted) === asked) {
      return;
    }
    const begun = Date.now();
    const source = new vscode.CancellationTokenSource();
    asking = source;
    const [seen, of] = [whatMatters(wanted), wanted.repository];
    // A token of our own, so that the server opens no notification: the page says that the order is being found.
    const params = { repository: of, what: "merge", workDoneToken: `map-${begun}` };
    const answer = await request<OrderAnswer>("sidecar/plan", params, source.token).catch(() => undefined);
    asking = undefined;
    source.dispose();
    if (answer !== undefined && of === repository) {
      [order, asked] = [answer, seen];
      changed();
    }
    const took = Date.now() - begun;
    rest(answer === undefined ? REST_AFTER_FAILURE_MILLISECONDS : Math.max(took * REST, LEAST_REST_MILLISECONDS));
  };
  return {
    follow: (picture) => {
      wanted = picture;
      if (picture === undefined) {
        asking?.cancel();
        return;
      }
      if (picture.repository !== repository) {
        asking?.cancel();
        clearTimeout(resting);
        resting = order = undefined;
        [repository, asked] = [picture.repository, ""];
      }
      void look();
    },
    known: () => ({
      ...(order === undefined ? {} : { order }),
      isCurrent: order !== undefined && wanted !== undefined && whatMatters(wanted) === asked,
    }),
    dispose: () => {
      wanted = undefined;
      asking?.cancel();
      clearTimeout(resting);
    },
  };
}

/** Gives what the order depends on, as a text. */
function whatMatters({ repository, trunk, worktrees }: Picture): string {
  const each = worktrees.map(({ path, branch, head, changes, integration, missing, problem, unfinished }) => {
    const uncommitted = changes.staged + changes.unstaged + changes.untracked;
    return [path, branch, head, uncommitted, integration.state, missing, problem, unfinished?.operation];
  });
  return JSON.stringify([repository, trunk?.commit, each]);
}
