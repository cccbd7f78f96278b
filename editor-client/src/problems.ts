/** What VS Code can't do by itself with our problems: underline several lines, and list more than some quick fixes. */

import * as vscode from "vscode";
import type { CodeAction, LanguageClient, Middleware } from "vscode-languageclient/node";

const UNDERLINE = "underline wavy 1px";
const OF_SEVERITY: ReadonlyMap<vscode.DiagnosticSeverity, string> = new Map([
  [vscode.DiagnosticSeverity.Warning, "--vscode-editorWarning-foreground"],
  [vscode.DiagnosticSeverity.Information, "--vscode-editorInfo-foreground"],
]);

export interface Underlines {
  readonly handle: NonNullable<Middleware["handleDiagnostics"]>;
  /** Takes all away, as the problems of a server that has ended are. */
  readonly clear: () => void;
}

/**
 * Has VS Code underline the first line of each problem, and underlines the others: it would underline their indentation,
 * and blank lines.
 */
export function createUnderlines(context: vscode.ExtensionContext): Underlines {
  const below = new Map<string, readonly Pick<vscode.Diagnostic, "range" | "severity">[]>();
  const types = [...OF_SEVERITY].map(([severity, color]) => {
    const type = vscode.window.createTextEditorDecorationType({ textDecoration: `${UNDERLINE} var(${color})` });
    context.subscriptions.push(type);
    return { severity, type };
  });
  const show = (editor: vscode.TextEditor): void => {
    const found = below.get(editor.document.uri.toString()) ?? [];
    for (const { severity, type } of types) {
      const ranges = found.filter((one) => one.severity === severity).flatMap(({ range }) => underlines(editor.document, range));
      editor.setDecorations(type, ranges);
    }
  };
  context.subscriptions.push(
    vscode.window.onDidChangeVisibleTextEditors((editors) => {
      editors.forEach(show);
    }),
  );
  return {
    handle: (uri, diagnostics, next) => {
      const key = uri.toString();
      const long = diagnostics.filter(({ range }) => !range.isSingleLine);
      const had = below.delete(key);
      if (long.length > 0) {
        below.set(key, long.map(({ range, severity }) => ({ range, severity })));
      }
      if (had || long.length > 0) {
        vscode.window.visibleTextEditors.filter(({ document }) => document.uri.toString() === key).forEach(show);
      }
      for (const one of long) {
        one.range = new vscode.Range(one.range.start, one.range.start.translate(0, MOST_CHARACTERS));
      }
      next(uri, diagnostics);
    },
    clear: () => {
      below.clear();
      vscode.window.visibleTextEditors.forEach(show);
    },
  };
}

/** Beyond the end of any line; VS Code ends a range where the line ends. */
const MOST_CHARACTERS = 1_000_000;

/** The text of each line after the first one, without what is white space. */
function underlines(document: vscode.TextDocument, { start, end }: vscode.Range): vscode.Range[] {
  const last = Math.min(end.line, document.lineCount - 1);
  const lines = Array.from({ length: Math.max(0, last - start.line) }, (_, at) => document.lineAt(start.line + 1 + at));
  return lines
    .filter(({ isEmptyOrWhitespace }) => !isEmptyOrWhitespace)
    .map(({ lineNumber, firstNonWhitespaceCharacterIndex, text }) =>
      new vscode.Range(lineNumber, firstNonWhitespaceCharacterIndex, lineNumber, text.trimEnd().length));
}

/** Lets a person pick one of the quick fixes that the server gave, and does it as long as the text is the same. */
export async function pickFix(client: LanguageClient | undefined, fixes: readonly CodeAction[]): Promise<void> {
  let group: string | undefined;
  const rows = fixes.flatMap((fix): (vscode.QuickPickItem & { fix?: CodeAction })[] => {
    const before = group;
    [group] = fix.title.split(" ", 1);
    const separator = { label: group ?? "", kind: vscode.QuickPickItemKind.Separator };
    return [...(group === before ? [] : [separator]), { label: fix.title, fix }];
  });
  const picked = (await vscode.window.showQuickPick(rows, { placeHolder: "What should be done?" }))?.fix;
  const [action] = picked && client ? await client.protocol2CodeConverter.asCodeActionResult([picked]) : [];
  if (!(action instanceof vscode.CodeAction)) {
    return;
  }
  if (action.edit && !isCurrent(picked)) {
    await vscode.window.showInformationMessage("The text has changed since. Nothing was done.");
    return;
  }
  if (action.edit) {
    await vscode.workspace.applyEdit(action.edit);
  }
  if (action.command) {
    await vscode.commands.executeCommand(action.command.command, ...((action.command.arguments as unknown[] | undefined) ?? []));
  }
}

/** Whether the documents that a fix edits are as they were when it was made. */
function isCurrent(fix: CodeAction | undefined): boolean {
  const edits = fix?.edit?.documentChanges ?? [];
  return edits.every((edit) => {
    if (!("textDocument" in edit)) {
      return false;
    }
    const { uri, version } = edit.textDocument;
    return vscode.workspace.textDocuments.some((document) => document.uri.toString() === uri && document.version === version);
  });
}
