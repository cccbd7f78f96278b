/** The connection to one server: what it may ask of the editor, and what is done around its commands. */

import * as os from "node:os";
import * as vscode from "vscode";
import {
  CloseAction,
  ErrorAction,
  LanguageClient,
  MessageType,
  ShowMessageNotification,
  ShowMessageRequest,
  State,
  type ClientCapabilities,
  type LanguageClientOptions,
  type StaticFeature,
} from "vscode-languageclient/node";

import { askForConsent } from "./consent";
import { askInNotice, showResult, type List } from "./notices";
import type { Picture, Worktree } from "./picture";
import type { Underlines } from "./problems";
import { createProgress } from "./progress";
import { COMPARE, CONSENT, MERGE, MOVE, RELEASE, UPDATE, type ConsentQuestion, type Result } from "./protocol";
import { explicitSettings, SECTION } from "./settings";
import { isTrusted } from "./trust";
import { saveFirst } from "./window";

export const NAME = "Worktree Sidecar";

/** How many errors of the connection are passed over. */
const MOST_ERRORS = 3;

/** What is done around a command of the server, whoever gave it. */
export interface AroundCommands {
  /** The worktree whose unsaved texts a person is asked to save before. */
  readonly savesFirst: (name: string, argument: unknown, pictures: readonly Picture[]) => Worktree | undefined;
  /** Shows what the answer is about. */
  readonly answered: (name: string, argument: unknown, answer: unknown) => Promise<void>;
  /** Lists what the server has told the person, to be read again later. */
  readonly told: List;
}

/** Writes to the log what the library would show, each time anew and without a way on: the session says it once. */
class QuietClient extends LanguageClient {
  override error(message: string, data?: unknown): void {
    super.error(message, data, false);
  }
}

/** Makes a client that is not started; each is started once. */
export function createClient(
  command: string,
  context: vscode.ExtensionContext,
  log: vscode.LogOutputChannel,
  pictures: () => readonly Picture[],
  around: AroundCommands,
  underlines: Underlines,
): LanguageClient {
  const progress = createProgress(() => client);
  const options: LanguageClientOptions = {
    documentSelector: [{ scheme: "file" }],
    outputChannel: log,
    // The session starts a new client where a server ended: the library's own restart meets the start that it follows.
    errorHandler: {
      error: (_error, _message, count = 0) => ({ action: count <= MOST_ERRORS ? ErrorAction.Continue : ErrorAction.Shutdown }),
      closed: () => ({ action: CloseAction.DoNotRestart }),
    },
    initializationFailedHandler: () => false,
    initializationOptions: () => ({
      trusted: vscode.workspace.isTrusted,
      settings: explicitSettings(context.extension),
      picture: true,
      waits: true,
      consents: true,
      moreFixes: true,
      hoverLinks: true,
      mergeEditor: true,
      results: true,
    }),
    markdown: { isTrusted: { enabledCommands: [COMPARE, MERGE, UPDATE, RELEASE, MOVE] } },
    middleware: {
      handleDiagnostics: (uri, diagnostics, next) => {
        if (client.isRunning()) {
          underlines.handle(uri, diagnostics, next);
        }
      },
      executeCommand: async (name, args: unknown[], next) => {
        if (name !== COMPARE && !(await isTrusted())) {
          return null;
        }
        if (!(await saveFirst(around.savesFirst(name, args[0], pictures())))) {
          return null;
        }
        const answer: unknown = await next(name, args);
        await around.answered(name, args[0], answer);
        return answer;
      },
      handleWorkDoneProgress: (token, value, next) => {
        progress.handle(token, value);
        if (value.kind === "end") {
          next(token, value);
        }
      },
    },
  };
  // Not in a worktree: a process in there would stand in the way of removing it.
  const server = { command, args: ["serve"], options: { cwd: os.homedir() } };
  const client: LanguageClient = new QuietClient(SECTION, NAME, server, options);
  const ended = new vscode.CancellationTokenSource();
  client.onRequest(CONSENT, async (question: ConsentQuestion) => await askForConsent(question, ended.token));
  client.onNotification(ShowMessageNotification.type, ({ type, message }) => {
    around.told(message, type !== MessageType.Info, []);
    void showing(type)(message);
  });
  client.onRequest(ShowMessageRequest.type, async ({ type, message, actions = [] }) => {
    const titles = actions.map(({ title }) => title);
    const chosen = await askInNotice(around.told, message, type !== MessageType.Info, titles);
    return actions.find(({ title }) => title === chosen) ?? null;
  });
  client.onNotification("sidecar/notice", ({ message }: { readonly message: string }) => {
    around.told(message, false, []);
  });
  client.onNotification("sidecar/result", ({ message, warning, steps }: Result) => {
    const next = steps.map(({ title, command: name, argument }) => ({
      title,
      run: () => void vscode.commands.executeCommand(name, argument),
    }));
    // Without a button a message is one line, cut off; the log has what was printed besides.
    const shown = warning && next.length === 0 ? [{ title: "Show Log", run: () => { log.show(); } }] : next;
    void showResult(around.told, message, warning, shown);
  });
  client.onDidChangeState(({ newState }) => {
    if (newState === State.Stopped) {
      ended.cancel();
      progress.endAll();
      underlines.clear();
    }
  });
  client.registerFeature(diffEditorFeature());
  return client;
}

function showing(type: MessageType): (message: string) => Thenable<unknown> {
  const { showErrorMessage, showWarningMessage, showInformationMessage } = vscode.window;
  return type === MessageType.Error ? showErrorMessage : type === MessageType.Warning ? showWarningMessage : showInformationMessage;
}

/** Tells the server that this client opens a diff editor when a comparison is asked for. */
function diffEditorFeature(): StaticFeature {
  return {
    fillClientCapabilities: (capabilities: ClientCapabilities) => {
      capabilities.experimental = { ...(capabilities.experimental as object | undefined), diffEditor: true };
    },
    initialize: () => undefined,
    getState: () => ({ kind: "static" }),
    clear: () => undefined,
  };
}
