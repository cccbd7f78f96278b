/** The overlap map in an editor tab: gives the page what it shows, and does what it asks for. */

import { randomBytes } from "node:crypto";
import * as vscode from "vscode";

import { compare } from "../compare";
import type { Picture } from "../picture";
import { MERGE, MERGE_ALL, type Request } from "../protocol";
import { SECTION } from "../settings";
import { openWindow } from "../window";
import { repositoryName } from "../words";
import { chosen, comparison } from "./files";
import { createMergeOrder, type KnownOrder } from "./order";
import { orderText, summary } from "./sentences";
import type { Choice, Shown, Wish } from "./shown";
import { inOrder, stairs } from "./stairs";

export const VIEW_TYPE = `${SECTION}.map`;

export interface OverlapMap {
  readonly show: (repository: string | undefined) => void;
  /** Shows the newest pictures. */
  readonly update: () => void;
  readonly dispose: () => void;
}

/** Makes the map, of which there is at most one; it comes back with its window. */
export function createOverlapMap(
  context: vscode.ExtensionContext,
  pictures: () => readonly Picture[],
  folders: () => string[],
  request: Request,
): OverlapMap {
  let open: { readonly panel: vscode.WebviewPanel; readonly update: () => void } | undefined;
  const adopt = (panel: vscode.WebviewPanel, repository: string | undefined): void => {
    const update = run(panel, context.extensionUri, { pictures, folders, request, repository });
    open = { panel, update };
    panel.onDidDispose(() => {
      open = undefined;
    });
  };
  const serializer = vscode.window.registerWebviewPanelSerializer(VIEW_TYPE, {
    deserializeWebviewPanel: async (panel) => {
      adopt(panel, undefined);
      return Promise.resolve();
    },
  });
  return {
    show: (repository) => {
      if (open) {
        open.panel.reveal();
        return;
      }
      adopt(vscode.window.createWebviewPanel(VIEW_TYPE, "Overlap Map", vscode.ViewColumn.Active), repository);
    },
    update: () => {
      open?.update();
    },
    dispose: () => {
      open?.panel.dispose();
      serializer.dispose();
    },
  };
}

interface Around {
  readonly pictures: () => readonly Picture[];
  readonly folders: () => string[];
  readonly request: Request;
  readonly repository: string | undefined;
}

/** Runs one panel till it is closed; gives what is called with every new picture. */
function run(panel: vscode.WebviewPanel, extension: vscode.Uri, around: Around): () => void {
  let repository = around.repository;
  let choice: Choice | null = null;
  let isInside = false;
  let isListening = false;
  /** What is shown now, which stays while somebody is in the table: nothing moves under a pointer. */
  let shown: KnownOrder = { isCurrent: false };

  const picture = (): Picture | undefined => {
    const all = around.pictures();
    return all.find((one) => one.repository === repository) ?? all[0];
  };
  const post = (): void => {
    const now = picture();
    const known = order.known();
    const isMoving = now !== undefined && places(now, shown) !== places(now, known);
    if (!(isInside && isMoving)) {
      shown = known;
    }
    if (isListening && panel.visible) {
      void panel.webview.postMessage(content(around.pictures(), now, shown, choice, isInside && isMoving));
    }
  };
  const update = (): void => {
    order.follow(panel.visible && isListening ? picture() : undefined);
    post();
  };
  const order = createMergeOrder(around.request, post);
  panel.webview.options = { enableScripts: true, localResourceRoots: [vscode.Uri.joinPath(extension, "out")] };
  panel.webview.html = html(panel.webview, extension);
  panel.onDidChangeViewState(() => {
    isListening &&= panel.visible; // a hidden page is gone, and begins anew
    update();
  });
  panel.onDidDispose(() => {
    order.dispose();
  });
  panel.webview.onDidReceiveMessage(async (wish: Wish) => {
    const now = picture();
    switch (wish.kind) {
      case "begin":
        [isListening, isInside] = [true, false];
        repository ??= wish.kept?.repository ?? undefined;
        choice ??= wish.kept?.choice ?? null;
        break;
      case "choose":
        choice = wish.choice;
        break;
      case "repository":
        [repository, choice] = [wish.repository, null];
        break;
      case "inside":
        isInside = wish.inside;
        break;
      case "compare": {
        const what = now && choice ? comparison(now, choice, wish.file, around.folders()) : undefined;
        if (what) {
          await compare({ uri: vscode.Uri.file(what.file).toString(), worktree: what.worktree, line: what.line });
        }
        return;
      }
      case "act":
        if (wish.action === "open") {
          await openWindow(wish.row);
        } else {
          await vscode.commands.executeCommand(MERGE, { worktree: wish.row, repository: now?.repository });
        }
        return;
      case "mergeAll":
        await vscode.commands.executeCommand(MERGE_ALL, { repository: now?.repository });
        return;
    }
    update();
  });
  return update;
}

function places(picture: Picture, { order }: KnownOrder): string {
  return inOrder(picture, order).map((one) => one.path).join("\0");
}

function content(
  pictures: readonly Picture[],
  picture: Picture | undefined,
  known: KnownOrder,
  choice: Choice | null,
  held: boolean,
): Shown {
  const order = known.order?.order === undefined ? undefined : known.order;
  const seen = picture === undefined ? null : chosen(picture, choice ?? { row: "", column: null }, order);
  return {
    repositories: pictures.map((one) => ({ id: one.repository, name: repositoryName(one) })),
    repository: picture?.repository ?? null,
    trunk: picture?.trunk?.branch ?? "trunk",
    summary: picture === undefined ? "No git repository is known here yet." : summary(picture),
    order: picture === undefined ? "" : orderText(known, held),
    held,
    ready: (order?.order ?? []).filter(({ ready }) => ready).length,
    rows: picture === undefined ? [] : stairs(picture, order),
    choice: seen === null ? null : choice,
    chosen: seen,
  };
}

function html(webview: vscode.Webview, extension: vscode.Uri): string {
  const nonce = randomBytes(16).toString("base64url");
  const uri = (name: string): string => webview.asWebviewUri(vscode.Uri.joinPath(extension, "out", name)).toString();
  const policy = `default-src 'none'; style-src ${webview.cspSource}; script-src 'nonce-${nonce}'`;
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Overlap Map</title>
<link rel="stylesheet" href="${uri("map.css")}">
</head>
<body>
<script nonce="${nonce}" src="${uri("map.js")}"></script>
</body>
</html>`;
}
