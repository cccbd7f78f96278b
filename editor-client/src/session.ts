/** The life of the server: start, restart, stop, one after the other. */

import * as vscode from "vscode";
import { ConnectionError, ErrorCodes, ResponseError, State, type CodeAction, type LanguageClient } from "vscode-languageclient/node";

import { createClient, NAME, type AroundCommands } from "./client";
import type { Marks } from "./marks";
import type { Picture } from "./picture";
import { createUnderlines, pickFix, type Underlines } from "./problems";
import type { History, Request } from "./protocol";
import { resolveServer } from "./server";
import { explicitSettings, SECTION } from "./settings";

const MORE_FIXES = `${SECTION}.moreFixes`;
const START_MILLISECONDS = 60_000;
const STOP_MILLISECONDS = 3000;
const FIRST_PICTURE_MILLISECONDS = 10_000;

/** How often a server that ends by itself is started again within a while. */
const MOST_STARTS = 4;
const WHILE_MILLISECONDS = 180_000;

const OF_ENDING: ReadonlySet<number> = new Set([ErrorCodes.PendingResponseRejected, ErrorCodes.ConnectionInactive]);
/** Node's codes for writing to a process that has ended. */
const OF_PIPES: ReadonlySet<string> = new Set(["EPIPE", "ECONNRESET", "ERR_STREAM_DESTROYED"]);

const RESTART = "Restart Server";
const SHOW_LOG = "Show Log";

/** What the rest of the extension may ask of the server. */
export interface Session {
  readonly request: Request;
  readonly pictures: () => Picture[];
  /** The pictures, awaiting the first one for a moment when the server has just begun. */
  readonly firstPictures: () => Promise<Picture[]>;
  /** Whether a server runs; awaits one that is being started, and says it where there is none. */
  readonly isRunning: () => Promise<boolean>;
  readonly restart: () => Promise<void>;
  readonly stop: () => Promise<void>;
  readonly settingsChanged: () => Promise<void>;
}

/** Listeners get the newest picture of each repository, and none when a server ends. */
export function createSession(
  context: vscode.ExtensionContext,
  log: vscode.LogOutputChannel,
  onPictures: (pictures: readonly Picture[], isRunning: boolean) => void,
  around: AroundCommands,
  marks: Marks,
  view: { readonly remember: (history: History) => void; readonly settle: () => void },
): Session {
  let client: LanguageClient | undefined;
  const pictures = new Map<string, Picture>();
  const seen = (): Picture[] => [...pictures.values()];
  const arrived = new vscode.EventEmitter<void>();
  const settled = new vscode.EventEmitter<void>();
  /** Whether the server has said that no repository is open here. */
  let isWithout = false;
  const underlines = createUnderlines(context);
  const chained: Underlines = {
    ...underlines,
    handle: (uri, diagnostics, next) => {
      marks.handle(uri, diagnostics, (_uri, marked) => {
        underlines.handle(uri, marked, next);
      });
    },
    clear: () => {
      underlines.clear();
      marks.clear();
    },
  };
  context.subscriptions.push(
    arrived,
    settled,
    vscode.window.onDidChangeWindowState(({ focused }) => {
      if (focused) {
        comeToFront();
      }
    }),
    vscode.commands.registerCommand(MORE_FIXES, (fixes: CodeAction[]) => pickFix(client, fixes)),
  );
  let last = Promise.resolve();
  let ends: number[] = [];
  let why: string | undefined;
  let cause: string | undefined;
  let said: Thenable<string | undefined> | undefined;

  const firstPictures = async (): Promise<Picture[]> => {
    if (pictures.size === 0 && !isWithout) {
      const listening: vscode.Disposable[] = [];
      await soon(new Promise<void>((resolve) => {
        arrived.event(() => {
          resolve();
        }, undefined, listening);
        settled.event(() => {
          if (isWithout) {
            resolve();
          }
        }, undefined, listening);
      }), FIRST_PICTURE_MILLISECONDS);
      vscode.Disposable.from(...listening).dispose();
    }
    return seen();
  };
  /** Says that what one of several windows is told is to be told here. */
  const comeToFront = (): void => {
    if (client?.isRunning()) {
      void client.sendNotification("sidecar/front", {});
    }
  };
  const inTurn = (step: () => Promise<void>): Promise<void> => {
    last = last.then(step).catch((error: unknown) => {
      log.error(error instanceof Error ? error : String(error));
    });
    return last;
  };
  const restart = (): Promise<void> => {
    ends = [];
    cause = undefined;
    return inTurn(start);
  };
  /** Says it, unless that is still to be read. */
  const sayNotRunning = async (): Promise<void> => {
    if (said !== undefined) {
      await said;
      return;
    }
    const sentence = `${NAME} is not running${why === undefined ? "" : `: ${why}`}.`;
    said = vscode.window.showErrorMessage(sentence, RESTART, SHOW_LOG);
    const answer = await said;
    said = undefined;
    if (answer === RESTART) {
      await restart();
    } else if (answer === SHOW_LOG) {
      log.show();
    }
  };
  const start = async (): Promise<void> => {
    await stop();
    const outcome = await begin();
    if (outcome === "ended") {
      await replace();
    } else if (outcome !== "running") {
      await giveUp(outcome.because);
    }
  };
  const begin = async (): Promise<"running" | "ended" | { readonly because: string }> => {
    try {
      const command = await resolveServer(context, log);
      if (command === undefined) {
        return { because: "no server was found" };
      }
      const started = createClient(command, context, log, seen, around, chained);
      client = started;
      started.onNotification("sidecar/picture", (picture: Picture) => {
        if (client === started) {
          pictures.set(picture.repository, picture);
          arrived.fire();
          onPictures(seen(), true);
        }
      });
      started.onNotification("sidecar/closed", ({ repository }: { readonly repository: string }) => {
        if (client === started && pictures.delete(repository)) {
          onPictures(seen(), true);
          view.settle();
        }
      });
      started.onNotification("sidecar/settled", ({ repositories }: { readonly repositories: readonly string[] }) => {
        if (client === started) {
          isWithout = repositories.length === 0;
          settled.fire();
          if (isWithout) {
            view.settle();
          }
        }
      });
      started.onNotification("sidecar/history", view.remember);
      started.onNotification("sidecar/copy", ({ text }: { readonly text: string }) => {
        void vscode.env.clipboard.writeText(text);
      });
      const isUp = await soon(started.start().then(() => true), START_MILLISECONDS);
      if (isUp === undefined) {
        return { because: `it did not answer within ${START_MILLISECONDS / 1000} s` };
      }
      started.onDidChangeState(({ newState }) => {
        if (newState === State.Stopped && client === started) {
          void inTurn(() => (client === started ? replace() : Promise.resolve()));
        }
      });
      if (!started.isRunning()) {
        return "ended";
      }
      if (vscode.window.state.focused) {
        comeToFront();
      }
      void firstPictures().then(() => {
        if (client === started) {
          view.settle();
        }
      });
      return "running";
    } catch (error) {
      log.error(error instanceof Error ? error : String(error));
      cause = isOfEnding(error) ? cause : error instanceof Error ? error.message : String(error);
      return "ended";
    }
  };
  /** Starts a server in place of one that ended by itself, unless that was too often. */
  const replace = async (): Promise<void> => {
    const now = Date.now();
    ends = [...ends.filter((end) => now - end < WHILE_MILLISECONDS), now];
    if (ends.length <= MOST_STARTS) {
      await start();
    } else {
      const often = `it ended ${ends.length} times within ${WHILE_MILLISECONDS / 60_000} minutes`;
      await giveUp(cause === undefined ? often : `${often} (${cause})`);
    }
  };
  const giveUp = async (because: string): Promise<void> => {
    await stop();
    onPictures([], false);
    why = because;
    void sayNotRunning();
  };
  const stop = async (): Promise<void> => {
    const old = client;
    client = undefined;
    isWithout = false;
    pictures.clear();
    onPictures([], true);
    try {
      await (old && soon(old.dispose(STOP_MILLISECONDS), 2 * STOP_MILLISECONDS));
    } catch (error) {
      log.warn(`Stopping the server: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  return {
    request: async <T>(method: string, params: object, token?: vscode.CancellationToken): Promise<T> => {
      if (client === undefined) {
        throw new Error(`${NAME} is not running.`);
      }
      return await (token === undefined ? client.sendRequest<T>(method, params) : client.sendRequest<T>(method, params, token));
    },
    pictures: seen,
    firstPictures,
    isRunning: async () => {
      await last;
      if (client?.isRunning()) {
        return true;
      }
      await sayNotRunning();
      return false;
    },
    restart,
    stop: () => inTurn(stop),
    settingsChanged: () => inTurn(async () => {
      if (client?.isRunning()) {
        const settings = { [SECTION]: explicitSettings(context.extension) };
        await client.sendNotification("workspace/didChangeConfiguration", { settings });
      }
    }),
  };
}

/** Whether an error says no more than that the server ended while something was asked of it. */
function isOfEnding(error: unknown): boolean {
  if (error instanceof ResponseError) {
    return OF_ENDING.has(error.code);
  }
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return error instanceof ConnectionError || OF_PIPES.has(code);
}

/** Awaits something for a while; gives undefined when that is over. */
async function soon<T>(awaited: Promise<T>, milliseconds: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => {
      resolve(undefined);
    }, milliseconds);
  });
  try {
    return await Promise.race([awaited, late]);
  } finally {
    clearTimeout(timer);
  }
}
