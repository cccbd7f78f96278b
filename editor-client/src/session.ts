/** The life of the server: start, restart, stop, one after the other. */

import * as os from "node:os";
import * as vscode from "vscode";
import {
  LanguageClient,
  type ClientCapabilities,
  type LanguageClientOptions,
  type StaticFeature,
} from "vscode-languageclient/node";

import { COMPARE, showComparison, type CompareArgument } from "./compare";
import type { Picture } from "./picture";
import { resolveServer } from "./server";
import { explicitSettings, SECTION } from "./settings";

const NAME = "Worktree Sidecar";
const STOP_MILLISECONDS = 3000;

/** What the rest of the extension may ask of the server. */
export interface Session {
  readonly restart: () => Promise<void>;
  readonly stop: () => Promise<void>;
  readonly settingsChanged: () => Promise<void>;
}

/** Listeners get each new picture, and undefined when a server ends and its pictures are void. */
export function createSession(
  context: vscode.ExtensionContext,
  log: vscode.LogOutputChannel,
  onPicture: (picture: Picture | undefined) => void,
): Session {
  let client: LanguageClient | undefined;
  let last = Promise.resolve();

  const inTurn = (step: () => Promise<void>): Promise<void> => {
    last = last.then(step).catch((error: unknown) => {
      log.error(error instanceof Error ? error : String(error));
    });
    return last;
  };
  const start = async (): Promise<void> => {
    const command = await resolveServer(context, log);
    if (command === undefined) {
      await sayNotStarted(log, "no server was found");
      return;
    }
    client = createClient(command, context, log, onPicture);
    try {
      await client.start();
    } catch (error) {
      void sayNotStarted(log, error instanceof Error ? error.message : String(error));
    }
  };
  const stop = async (): Promise<void> => {
    const old = client;
    client = undefined;
    onPicture(undefined);
    await old?.dispose(STOP_MILLISECONDS);
  };
  return {
    restart: () => inTurn(async () => {
      await stop();
      await start();
    }),
    stop: () => inTurn(stop),
    settingsChanged: () => inTurn(async () => {
      if (client?.isRunning()) {
        const settings = { [SECTION]: explicitSettings(context.extension) };
        await client.sendNotification("workspace/didChangeConfiguration", { settings });
      }
    }),
  };
}

function createClient(
  command: string,
  context: vscode.ExtensionContext,
  log: vscode.LogOutputChannel,
  onPicture: (picture: Picture) => void,
): LanguageClient {
  const options: LanguageClientOptions = {
    documentSelector: [{ scheme: "file" }],
    outputChannel: log,
    initializationOptions: () => ({
      trusted: vscode.workspace.isTrusted,
      settings: explicitSettings(context.extension),
    }),
    middleware: {
      executeCommand: async (name, args: unknown[], next) => {
        const answer: unknown = await next(name, args);
        if (name === COMPARE) {
          await showComparison(args[0] as CompareArgument, answer);
        }
        return answer;
      },
    },
  };
  // Not in a worktree: a process in there would stand in the way of removing it.
  const server = { command, args: ["serve"], options: { cwd: os.homedir() } };
  const client = new LanguageClient(SECTION, NAME, server, options);
  client.registerFeature(diffEditorFeature());
  client.onNotification("sidecar/picture", onPicture);
  return client;
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

async function sayNotStarted(log: vscode.LogOutputChannel, why: string): Promise<void> {
  const answer = await vscode.window.showErrorMessage(`${NAME} did not start: ${why}.`, "Show Log");
  if (answer !== undefined) {
    log.show();
  }
}
