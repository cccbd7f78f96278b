/** The list of all overlaps, to pick one and go there. */

import * as vscode from "vscode";

import { lineText, sideName, type Side, type Sighting } from "./picture";

const ICONS = { conflict: "warning", clean: "info", identical: "check" } as const;
const WORDS = { conflict: "conflicts with", clean: "merges cleanly with", identical: "is the same change as in" } as const;

interface Row extends vscode.QuickPickItem {
  readonly sighting?: Sighting;
}

/** Opens the picked overlap's file at its first region. */
export async function showOverlaps(seen: readonly Sighting[], unknown: readonly string[]): Promise<void> {
  if (seen.length === 0) {
    const none = "No overlaps: no two worktrees have changed the same file.";
    const text = unknown.length === 0 ? none : ["No overlaps are known.", ...unknown].join(" ");
    await vscode.window.showInformationMessage(text);
    return;
  }
  const picked = await vscode.window.showQuickPick([...rows(seen), ...notKnown(unknown)], {
    placeHolder: "Overlaps between worktrees",
    matchOnDescription: true,
    matchOnDetail: true,
  });
  if (picked?.sighting) {
    await open(picked.sighting);
  }
}

function rows(seen: readonly Sighting[]): Row[] {
  const here = seen.filter((sighting) => sighting.here);
  const elsewhere = seen.filter((sighting) => !sighting.here);
  const heading = (label: string): Row => ({ label, kind: vscode.QuickPickItemKind.Separator });
  if (here.length === 0 || elsewhere.length === 0) {
    return seen.map(row);
  }
  return [heading("this window"), ...here.map(row), heading("other worktrees"), ...elsewhere.map(row)];
}

function notKnown(unknown: readonly string[]): Row[] {
  const heading = { label: "not known", kind: vscode.QuickPickItemKind.Separator };
  return unknown.length === 0 ? [] : [heading, ...unknown.map((reason) => ({ label: `$(question) ${reason}` }))];
}

function row(sighting: Sighting): Row {
  const { overlap, own, other } = sighting;
  const lines = lineText(own);
  const kind = overlap.kind === "content" ? "" : ` (${overlap.kind})`;
  return {
    label: `$(${ICONS[overlap.verdict]}) ${own.path}`,
    description: [sideName(own), lines].filter((part) => part !== "").join(", "),
    detail: `${WORDS[overlap.verdict]} ${sideName(other)}${kind}`,
    sighting,
  };
}

/** A side that has deleted the file has nothing to open; the other one has. */
async function open({ files }: Sighting): Promise<void> {
  for (const { file, side } of files) {
    const document = await openFile(file);
    if (document) {
      await vscode.window.showTextDocument(document, { selection: selection(side) });
      return;
    }
  }
  await vscode.window.showInformationMessage("Neither side has a text file that can be opened.");
}

async function openFile(file: string): Promise<vscode.TextDocument | undefined> {
  try {
    return await vscode.workspace.openTextDocument(file);
  } catch {
    return undefined;
  }
}

function selection(side: Side): vscode.Range {
  const line = Math.max((side.regions[0]?.start ?? 1) - 1, 0);
  return new vscode.Range(line, 0, line, 0);
}
