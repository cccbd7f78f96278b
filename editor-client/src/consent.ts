/** How a person is asked for consent; never in a notification, which hides itself, or is not shown with Do Not Disturb. */

import * as vscode from "vscode";

import type { ConsentQuestion } from "./protocol";

const CANCEL = "Cancel";
const SENTENCE_END = /(?<=[?.])\s/;

/** Asks in a dialog; what lets findings pass is asked by ticking each, because Enter takes the first button of a dialog. */
export async function askForConsent(question: ConsentQuestion): Promise<string | null> {
  return question.allows.length > 0 ? await askByTicking(question) : await askInDialog(question);
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
async function askByTicking({ message, actions, allows }: ConsentQuestion): Promise<string | null> {
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
    picker.onDidHide(() => {
      resolve(null);
      picker.dispose();
    });
    picker.show();
  });
}
