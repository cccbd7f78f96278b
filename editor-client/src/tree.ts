/** The Worktrees view: rows are made when they are looked at, and only those that changed are drawn again. */

import * as vscode from "vscode";

import type { List } from "./notices";
import type { Picture } from "./picture";
import type { History } from "./protocol";
import { isEqual, row, type Row } from "./rows";
import { SECTION } from "./settings";
import { children, conflicts, roots, welcome, type Model, type Node, type Notice } from "./worktrees";

const VIEW = `${SECTION}.worktrees`;
const MOST_NOTICES = 30;
/** How often ages are written anew while the view is looked at. */
const AGE_MILLISECONDS = 60_000;

/** What the rest of the extension tells the view, and asks it. A row is handed to commands by its id. */
export interface WorktreesView {
  readonly show: (pictures: readonly Picture[], isRunning: boolean) => void;
  /** Looks at the window's folders and the time again. */
  readonly refresh: () => void;
  /** Says that whoever would have had a picture has sent one by now. */
  readonly settle: () => void;
  readonly remember: (history: History) => void;
  /** Lists something that was said; the result ends what is offered with it. */
  readonly notice: List;
  readonly clearNotices: () => void;
  readonly model: () => Model;
  readonly node: (id: unknown) => Node | undefined;
}

interface Drawn {
  readonly node: Node;
  readonly row: Row;
  readonly below?: readonly string[];
}

export function createWorktreesView(context: vscode.ExtensionContext, folders: () => string[]): WorktreesView {
  let pictures: readonly Picture[] = [];
  let notices: readonly Notice[] = [];
  let isRunning = true;
  let isSettled = false;
  let number = 0;
  let top: readonly string[] = [];
  const histories = new Map<string, History>();
  const drawn = new Map<string, Drawn>();
  const parents = new Map<string, string>();
  const changed = new vscode.EventEmitter<string[] | undefined>();
  const model = (): Model => ({
    pictures,
    histories,
    notices,
    folders: folders(),
    isTrusted: vscode.workspace.isTrusted,
    now: Date.now() / 1000,
  });
  const draw = (nodes: readonly Node[], now: Model, parent?: string): string[] => {
    for (const node of nodes) {
      drawn.set(node.id, { ...drawn.get(node.id), node, row: row(node, now) });
      if (parent !== undefined) {
        parents.set(node.id, parent);
      }
    }
    return nodes.map(({ id }) => id);
  };
  const forget = (ids: readonly string[]): void => {
    for (const id of ids) {
      forget(drawn.get(id)?.below ?? []);
      drawn.delete(id);
      parents.delete(id);
    }
  };
  /** Compares what is drawn below a row with what is to be there; gives the rows to draw again. */
  const renew = (before: readonly string[], nodes: readonly Node[], now: Model, parent: string | undefined): string[] | undefined => {
    const ids = new Set(nodes.map(({ id }) => id));
    forget(before.filter((id) => !ids.has(id)));
    const isSame = before.length === nodes.length && nodes.every(({ id }, at) => id === before[at]);
    const again: string[] = [];
    for (const node of nodes) {
      const known = drawn.get(node.id);
      const look = row(node, now);
      drawn.set(node.id, { ...known, node, row: look });
      if (parent !== undefined) {
        parents.set(node.id, parent);
      }
      let isOld = known === undefined || !isEqual(known.row, look);
      if (known?.below !== undefined) {
        const inner = children(node, now);
        const below = renew(known.below, inner, now, node.id);
        drawn.set(node.id, { node, row: look, below: inner.map(({ id }) => id) });
        isOld ||= below === undefined;
        again.push(...(below ?? []));
      }
      if (isOld) {
        again.push(node.id);
      }
    }
    return isSame ? again : undefined;
  };
  const update = (): void => {
    const now = model();
    const nodes = roots(now);
    const again = renew(top, nodes, now, undefined);
    top = nodes.map(({ id }) => id);
    if (again === undefined) {
      changed.fire(undefined);
    } else if (again.length > 0) {
      changed.fire(again);
    }
    const { count, areHere } = conflicts(now);
    const said = `${count} ${count === 1 ? "conflict" : "conflicts"}${areHere ? "" : " between other worktrees"}`;
    view.badge = count === 0 ? undefined : { value: count, tooltip: said };
    void vscode.commands.executeCommand("setContext", `${SECTION}.welcome`, welcome(now, isRunning, isSettled));
  };
  const provider: vscode.TreeDataProvider<string> = {
    onDidChangeTreeData: changed.event,
    getChildren: (id) => {
      const now = model();
      if (id === undefined) {
        top = draw(roots(now), now);
        return [...top];
      }
      const known = drawn.get(id);
      if (known === undefined) {
        return [];
      }
      const below = draw(children(known.node, now), now, id);
      drawn.set(id, { ...known, below });
      return below;
    },
    getParent: (id) => parents.get(id),
    getTreeItem: (id) => {
      const known = drawn.get(id);
      return known === undefined ? new vscode.TreeItem("") : item(known.node, known.row);
    },
  };
  const view = vscode.window.createTreeView(VIEW, { treeDataProvider: provider, showCollapseAll: true });
  const timer = setInterval(() => {
    if (view.visible) {
      update();
    }
  }, AGE_MILLISECONDS);
  context.subscriptions.push(view, changed, { dispose: () => { clearInterval(timer); } }, view.onDidChangeVisibility(update));
  return {
    show: (now, running) => {
      const there = new Set(now.map(({ repository }) => repository));
      pictures.filter(({ repository }) => !there.has(repository)).forEach(({ repository }) => histories.delete(repository));
      pictures = now;
      isRunning = running;
      isSettled &&= now.length > 0 || !running; // a server that begins has not said yet what there is
      update();
    },
    refresh: update,
    settle: () => {
      isSettled = true;
      update();
    },
    remember: (history) => {
      histories.set(history.repository, history);
      update();
    },
    notice: (text, isWarning, steps) => {
      const own = number++;
      notices = [...notices, { number: own, text, time: Date.now() / 1000, isWarning, steps }].slice(-MOST_NOTICES);
      update();
      return () => {
        notices = notices.map((one) => (one.number === own ? { ...one, steps: [] } : one));
        update();
      };
    },
    clearNotices: () => {
      notices = [];
      update();
    },
    model,
    node: (id) => (typeof id === "string" ? drawn.get(id)?.node : undefined),
  };
}

const STATES = {
  no: vscode.TreeItemCollapsibleState.None,
  closed: vscode.TreeItemCollapsibleState.Collapsed,
  open: vscode.TreeItemCollapsibleState.Expanded,
} as const;

function item(node: Node, { label, description, tooltip, icon, color, context, spoken, expands }: Row): vscode.TreeItem {
  const item = new vscode.TreeItem(label, STATES[expands]);
  item.id = node.id;
  item.description = description;
  item.tooltip = new vscode.MarkdownString(tooltip);
  item.iconPath = new vscode.ThemeIcon(icon, color === undefined ? undefined : new vscode.ThemeColor(color));
  item.contextValue = context;
  item.accessibilityInformation = { label: spoken };
  const command = click(node);
  if (command !== undefined) {
    item.command = { ...command, arguments: [node.id] };
  }
  return item;
}

/** What a click on a row does, by the command that the menus have for it, too. */
function click(node: Node): vscode.Command | undefined {
  if (node.kind === "trust") {
    return { command: "workbench.trust.manage", title: "Manage Trust" };
  }
  if (node.kind === "file") {
    return { command: `${SECTION}.openDiff`, title: "Compare" };
  }
  if (node.kind === "notice") {
    return node.notice.steps.length > 0 ? { command: `${SECTION}.answerNotice`, title: "Answer" } : undefined;
  }
  return node.kind === "fact" && node.fact.next !== null ? { command: `${SECTION}.${node.fact.next}`, title: node.fact.label } : undefined;
}
