/** The life of the server: start, restart, stop, one after the other. */

import * as os from "node:os";
import * as vscode from "vscode";
import {
  LanguageClient,
  State,
  type ClientCapabilities,
  type LanguageClientOptions,
  type StaticFeature,
} from "vscode-languageclient/node";

import { COMPARE, showComparison, type CompareArgument } from "./compare";
import { MERGE, UPDATE } from "./merge";
import { MOVE, trunkCheckout } from "./move";
import { RELEASE } from "./release";
import type { Picture } from "./picture";
import type { Answer } from "./plans";
import { createProgress } from "./progress";
import { named, saveFirst } from "./saving";
import { resolveServer } from "./server";
import { explicitSettings, SECTION } from "./settings";

const NAME = "Worktree Sidecar";
const STOP_MILLISECONDS = 3000;
const FIRST_PICTURE_MILLISECONDS = 10_000;

/** What concerns the texts of a worktree, which are saved before. */
const OF_TEXTS: readonly string[] = [MERGE, UPDATE, RELEASE, MOVE];

/** Whose output is in the log. */
const WITH_OUTPUT: ReadonlySet<string> = new Set(["verify-failed", "prepare-failed"]);

/** Asks the server one of its own questions. */
export type Request = <T>(method: string, params: object) => Promise<T>;

/** What the rest of the extension may ask of the server. */
export interface Session {
  readonly request: Request;
  readonly pictures: () => Picture[];
  /** The pictures, awaiting the first one for a moment when the server has just begun. */
  readonly firstPictures: () => Promise<Picture[]>;
  readonly restart: () => Promise<void>;
  readonly stop: () => Promise<void>;
  readonly settingsChanged: () => Promise<void>;
}

/** Listeners get the newest picture of each repository, and none when a server ends. */
export function createSession(
  context: vscode.ExtensionContext,
  log: vscode.LogOutputChannel,
  onPictures: (pictures: readonly Picture[]) => void,
): Session {
  let client: LanguageClient | undefined;
  const pictures = new Map<string, Picture>();
  const seen = (): Picture[] => [...pictures.values()];
  const arrived = new vscode.EventEmitter<void>();
  context.subscriptions.push(arrived);
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
    client = createClient(command, context, log, seen);
    client.onNotification("sidecar/picture", (picture: Picture) => {
      pictures.set(picture.repository, picture);
      arrived.fire();
      onPictures(seen());
    });
    try {
      await client.start();
    } catch (error) {
      void sayNotStarted(log, error instanceof Error ? error.message : String(error));
    }
  };
  const stop = async (): Promise<void> => {
    const old = client;
    client = undefined;
    pictures.clear();
    onPictures([]);
    await old?.dispose(STOP_MILLISECONDS);
  };
  return {
    request: async <T>(method: string, params: object): Promise<T> => {
      if (client === undefined) {
        throw new Error(`${NAME} is not running.`);
      }
      return await client.sendRequest<T>(method, params);
    },
    pictures: seen,
    firstPictures: async () => {
      if (pictures.size === 0) {
        await firstOf(arrived.event, FIRST_PICTURE_MILLISECONDS);
      }
      return seen();
    },
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

/** Waits for an event, or until it has taken too long. */
async function firstOf(event: vscode.Event<void>, milliseconds: number): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => {
      listening.dispose();
      resolve();
    }, milliseconds);
    const listening = event(() => {
      clearTimeout(timer);
      listening.dispose();
      resolve();
    });
  });
}

function createClient(
  command: string,
  context: vscode.ExtensionContext,
  log: vscode.LogOutputChannel,
  pictures: () => readonly Picture[],
): LanguageClient {
  const progress = createProgress(() => client);
  const options: LanguageClientOptions = {
    documentSelector: [{ scheme: "file" }],
    outputChannel: log,
    initializationOptions: () => ({
      trusted: vscode.workspace.isTrusted,
      settings: explicitSettings(context.extension),
    }),
    middleware: {
      executeCommand: async (name, args: unknown[], next) => {
        const texts = name === MOVE ? trunkCheckout(pictures(), args[0]) : named(pictures(), args[0]);
        if (OF_TEXTS.includes(name) && !(await saveFirst(texts))) {
          return null;
        }
        const answer: unknown = await next(name, args);
        if (name === COMPARE) {
          await showComparison(args[0] as CompareArgument, answer);
        } else if ((answer as Answer | null)?.findings.some(({ code }) => WITH_OUTPUT.has(code))) {
          log.show(true);
        }
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
  const client: LanguageClient = new LanguageClient(SECTION, NAME, server, options);
  client.onDidChangeState(({ newState }) => {
    if (newState === State.Stopped) {
      progress.endAll();
    }
  });
  client.registerFeature(diffEditorFeature());
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
