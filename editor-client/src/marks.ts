/** Marks of conflicts beside the text, each of which a setting turns off: in the gutter, in the overview ruler, in the Explorer. */

import * as vscode from "vscode";
import type { Middleware } from "vscode-languageclient/node";

import { sideName, type Sighting } from "./picture";
import { SECTION } from "./settings";

const COLOR = `${SECTION}.conflict`;
/** The codes of the problems that are marked. */
const MARKED: ReadonlySet<unknown> = new Set(["conflict", "trunk-conflict", "undoes-trunk"]);
const MOST_NAMED = 5;

export interface Marks {
  /** Takes the problems as the server tells them; passes them on. */
  readonly handle: NonNullable<Middleware["handleDiagnostics"]>;
  /** Takes all marks of lines back, where a server has ended, which takes no problem back. */
  readonly clear: () => void;
  /** Takes the newest sightings of the window. */
  readonly seen: (sightings: readonly Sighting[]) => void;
}

export function createMarks(context: vscode.ExtensionContext): Marks {
  const marked = new Map<string, readonly vscode.Range[]>();
  const types = {
    gutter: vscode.window.createTextEditorDecorationType({
      isWholeLine: true,
      gutterIconPath: context.asAbsolutePath("media/conflict.svg"),
      gutterIconSize: "contain",
    }),
    overviewRuler: vscode.window.createTextEditorDecorationType({
      isWholeLine: true,
      overviewRulerColor: new vscode.ThemeColor(COLOR),
      overviewRulerLane: vscode.OverviewRulerLane.Left,
    }),
  };
  const explorer = new ConflictingFiles();
  const show = (editor: vscode.TextEditor): void => {
    const ranges = marked.get(editor.document.uri.toString()) ?? [];
    for (const [name, type] of Object.entries(types)) {
      editor.setDecorations(type, isOn(name) ? ranges : []);
    }
  };
  const showAll = (): void => {
    vscode.window.visibleTextEditors.forEach(show);
  };
  context.subscriptions.push(
    ...Object.values(types),
    explorer,
    vscode.window.registerFileDecorationProvider(explorer),
    vscode.window.onDidChangeVisibleTextEditors(showAll),
    vscode.workspace.onDidChangeConfiguration((change) => {
      if (change.affectsConfiguration(SECTION)) {
        showAll();
        explorer.tellAll();
      }
    }),
  );
  return {
    handle: (uri, diagnostics, next) => {
      const key = uri.toString();
      const ranges = diagnostics.filter(({ code }) => MARKED.has(codeOf(code))).map(({ range }) => range);
      if (ranges.length > 0) {
        marked.set(key, ranges);
      } else {
        marked.delete(key);
      }
      vscode.window.visibleTextEditors.filter(({ document }) => document.uri.toString() === key).forEach(show);
      next(uri, diagnostics);
    },
    clear: () => {
      marked.clear();
      showAll();
    },
    seen: (sightings) => {
      explorer.take(sightings);
    },
  };
}

/** Which files of this window conflict, and with whom. */
class ConflictingFiles implements vscode.FileDecorationProvider, vscode.Disposable {
  private others = new Map<string, ReadonlySet<string>>();
  private readonly changed = new vscode.EventEmitter<vscode.Uri[] | undefined>();
  readonly onDidChangeFileDecorations = this.changed.event;

  take(sightings: readonly Sighting[]): void {
    const before = this.others;
    const now = new Map<string, Set<string>>();
    for (const { overlap, own, other, here, files } of sightings) {
      const file = files.find(({ side }) => side === own)?.file;
      if (here && overlap.verdict === "conflict" && file !== undefined) {
        const key = vscode.Uri.file(file).toString();
        now.set(key, (now.get(key) ?? new Set()).add(sideName(other)));
      }
    }
    this.others = now;
    const keys = [...new Set([...before.keys(), ...now.keys()])];
    const others = keys.filter((key) => text(before.get(key)) !== text(now.get(key)));
    if (others.length > 0) {
      this.changed.fire(others.map((key) => vscode.Uri.parse(key, true)));
    }
  }

  tellAll(): void {
    this.changed.fire(undefined);
  }

  provideFileDecoration(uri: vscode.Uri): vscode.FileDecoration | undefined {
    const others = this.others.get(uri.toString());
    if (others === undefined || !isOn("explorer")) {
      return undefined;
    }
    const decoration = new vscode.FileDecoration("⇄", `Conflicts with ${text(others)}`, new vscode.ThemeColor(COLOR));
    decoration.propagate = true;
    return decoration;
  }

  dispose(): void {
    this.changed.dispose();
  }
}

function text(others: ReadonlySet<string> | undefined): string {
  const names = [...(others ?? [])].sort();
  const more = names.length > MOST_NAMED ? ` and ${names.length - MOST_NAMED} more` : "";
  return names.slice(0, MOST_NAMED).join(", ") + more;
}

function isOn(name: string): boolean {
  return vscode.workspace.getConfiguration(SECTION).get(`marks.${name}`, true);
}

function codeOf(code: vscode.Diagnostic["code"]): unknown {
  return typeof code === "object" ? code.value : code;
}
