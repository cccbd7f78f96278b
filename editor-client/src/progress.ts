/** The server's progress as a notification with Cancel; the client library would show it in the status bar alone. */

import * as vscode from "vscode";
import {
  WorkDoneProgressCancelNotification,
  type BaseLanguageClient,
  type ProgressToken,
  type WorkDoneProgressBegin,
  type WorkDoneProgressEnd,
  type WorkDoneProgressReport,
} from "vscode-languageclient/node";

type Value = WorkDoneProgressBegin | WorkDoneProgressReport | WorkDoneProgressEnd;

interface Shown {
  readonly report: (message: string | undefined) => void;
  readonly end: () => void;
}

/** `handle` takes what the server reports; `endAll` is for a server that ended without a word. */
export interface ProgressNotifications {
  readonly handle: (token: ProgressToken, value: Value) => void;
  readonly endAll: () => void;
}

export function createProgress(client: () => BaseLanguageClient | undefined): ProgressNotifications {
  const shown = new Map<ProgressToken, Shown>();
  return {
    handle: (token, value) => {
      if (value.kind === "begin") {
        shown.set(token, show(value, () => void client()?.sendNotification(WorkDoneProgressCancelNotification.type, { token })));
      } else if (value.kind === "report") {
        shown.get(token)?.report(value.message);
      } else {
        shown.get(token)?.end();
        shown.delete(token);
      }
    },
    endAll: () => {
      for (const one of shown.values()) {
        one.end();
      }
      shown.clear();
    },
  };
}

function show(begin: WorkDoneProgressBegin, cancel: () => void): Shown {
  let end = (): void => undefined;
  let report: Shown["report"] = () => undefined;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const options = {
    location: vscode.ProgressLocation.Notification,
    title: begin.title,
    cancellable: begin.cancellable ?? false,
  };
  void vscode.window.withProgress(options, async (progress, token) => {
    report = (message) => {
      progress.report(message === undefined ? {} : { message });
    };
    report(begin.message);
    token.onCancellationRequested(cancel);
    await ended;
  });
  return {
    report: (message) => {
      report(message);
    },
    end: () => {
      end();
    },
  };
}
