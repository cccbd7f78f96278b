/** How a person is asked for consent; never in a notification, which hides itself, or is not shown with Do Not Disturb. */

import * as vscode from "vscode";

import type { ConsentQuestion, PlanRow } from "./protocol";

const CANCEL = "Cancel";
const SENTENCE_END = /(?<=[?.])\s/;

/**
 * Asks in a dialog; what lets findings pass is asked by ticking each, because Enter takes the first button of a dialog.
 * A picker goes with `ended`, since nobody is there any more to do what is agreed to; a dialog can't be closed.
 */
export async function askForConsent(question: ConsentQuestion, ended: vscode.CancellationToken): Promise<string | string[] | null> {
  if (question.rows !== undefined) {
    return await askWhich(question.message, question.rows, ended);
  }
  return question.allows.length > 0 ? await askByTicking(question, ended) : await askInDialog(question);
}

async function askInDialog({ message, warning, actions }: ConsentQuestion): Promise<string | null> {
  const [question = message, ...rest] = message.split(SENTENCE_END);
  const items = actions.map((title): vscode.MessageItem => ({ title, isCloseAffordance: title === CANCEL }));
  const options = { modal: true, detail: rest.join(" ") };
  const chosen = warning
    ? await vscode.window.showWarningMessage(question, options, ...items)
    : await vscode.window.showInformationMessage(question, options, ...items);
  return chosen?.title ?? null;
}

/** Gives the action once every finding is ticked and Enter or OK pressed; Enter does nothing before that. */
async function askByTicking({ message, actions, allows }: ConsentQuestion, ended: vscode.CancellationToken): Promise<string | null> {
  const action = actions.find((title) => title !== CANCEL) ?? null;
  const picker = vscode.window.createQuickPick();
  picker.title = `${message.split(SENTENCE_END, 1)[0] ?? message} ${action ?? ""}?`;
  picker.placeholder = "Tick each of these, then press OK";
  picker.canSelectMany = true;
  picker.ignoreFocusOut = true;
  picker.items = allows.map((finding) => {
    const [label = finding, ...rest] = finding.split(SENTENCE_END);
    return { label, detail: rest.join(" ") };
  });
  return await new Promise((resolve) => {
    picker.onDidAccept(() => {
      if (picker.selectedItems.length === picker.items.length) {
        resolve(action);
        picker.hide();
      }
    });
    const listening = ended.onCancellationRequested(() => { picker.hide(); });
    picker.onDidHide(() => {
      resolve(null);
      listening.dispose();
      picker.dispose();
    });
    picker.show();
  });
}

interface Row extends vscode.QuickPickItem {
  readonly row?: PlanRow;
}

/** Shows a plan of many as a table; Enter or OK takes those that are ticked, and does nothing while none is. */
async function askWhich(title: string, rows: readonly PlanRow[], ended: vscode.CancellationToken): Promise<string[] | null> {
  const offered = rows.filter((row) => row.offered).map((row, at) => tableRow(row, `${at + 1}. ${row.name}`));
  const others = rows.filter((row) => !row.offered).map((row) => tableRow(row, row.name));
  const heading: Row[] = others.length === 0 ? [] : [{ label: "stay as they are", kind: vscode.QuickPickItemKind.Separator }];
  const picker = vscode.window.createQuickPick<Row>();
  picker.title = title;
  picker.placeholder = "Tick what is to be done, then press OK";
  picker.canSelectMany = picker.ignoreFocusOut = true;
  picker.items = [...offered, ...heading, ...others];
  picker.selectedItems = offered.filter(({ row }) => row?.ticked);
  return await new Promise((resolve) => {
    picker.onDidChangeSelection((selected) => {
      const possible = selected.filter(({ row }) => row?.offered);
      if (possible.length < selected.length) {
        picker.selectedItems = possible;
      }
    });
    picker.onDidAccept(() => {
      const wanted = picker.selectedItems.flatMap(({ row }) => (row?.offered ? [row.key] : []));
      if (wanted.length > 0) {
        resolve(wanted);
        picker.hide();
      }
    });
    const listening = ended.onCancellationRequested(() => { picker.hide(); });
    picker.onDidHide(() => {
      resolve(null);
      listening.dispose();
      picker.dispose();
    });
    picker.show();
  });
}

function tableRow(row: PlanRow, label: string): Row {
  return { label, description: row.description, detail: row.detail, row };
}
