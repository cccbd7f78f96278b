/** What the server tells the person: shown once, and listed with what can be done about it, also when it is gone from sight. */

import * as vscode from "vscode";

/** Something that can be done next, by a button; `run` does it, or answers the question that it belongs to. */
export interface Step {
  readonly title: string;
  readonly run: () => void;
}

/** Adds to the list of notices; the result ends what is offered there. */
export type List = (text: string, isWarning: boolean, steps: readonly Step[]) => () => void;

/** Shows what came of something, with the next steps on buttons. */
export async function showResult(list: List, text: string, isWarning: boolean, steps: readonly Step[]): Promise<void> {
  const end = list(text, isWarning, steps.map(({ title }) => ({ title, run: () => { go(title); } })));
  const go = (title: string | undefined): void => {
    const step = steps.find((one) => one.title === title);
    if (step !== undefined) {
      end();
      step.run();
    }
  };
  const show = isWarning ? vscode.window.showWarningMessage : vscode.window.showInformationMessage;
  go(await show(text, ...steps.map(({ title }) => title)));
}

/** Asks for one of these titles, in a notification or in the list, whichever is answered first; undefined for none. */
export async function askInNotice(list: List, text: string, isWarning: boolean, titles: readonly string[]): Promise<string | undefined> {
  return await new Promise((resolve) => {
    const end = list(text, isWarning, titles.map((title) => ({ title, run: () => { answer(title); } })));
    const answer = (title: string | undefined): void => {
      end();
      resolve(title);
    };
    // An error with buttons stays until it is answered; VS Code hides any other after some seconds.
    const show = isWarning ? vscode.window.showErrorMessage : vscode.window.showInformationMessage;
    void show(text, ...titles).then(answer);
  });
}

/** Lets a person choose again what a notice offered. */
export async function pickStep(text: string, steps: readonly Step[]): Promise<void> {
  const rows = steps.map((step) => ({ label: step.title, step }));
  (await vscode.window.showQuickPick(rows, { title: text, placeHolder: "What is to be done?" }))?.step.run();
}
