/** What a person picks: a worktree, or a repository. */

import * as vscode from "vscode";

import { plural, within, type Picture, type Worktree } from "./picture";
import type { OrderAnswer, Request, Turn } from "./protocol";
import { branchText, repositoryFolder, repositoryName } from "./words";
import { meetings } from "./worktrees";

export interface Choice {
  readonly worktree: Worktree;
  readonly repository: string;
}

interface Row extends vscode.QuickPickItem {
  readonly choice?: Choice;
}

/** Every worktree of these pictures that passes. */
export function choices(pictures: Iterable<Picture>, wanted: (worktree: Worktree, picture: Picture) => boolean): Choice[] {
  return [...pictures].flatMap((picture) =>
    picture.worktrees
      .filter((worktree) => wanted(worktree, picture))
      .map((worktree) => ({ worktree, repository: picture.repository })),
  );
}

/** A row for each choice; where several repositories are open, those of each under its name. */
export function byRepository<T extends vscode.QuickPickItem>(
  offered: readonly Choice[],
  pictures: readonly Picture[],
  row: (choice: Choice) => T,
): (T | vscode.QuickPickItem)[] {
  if (pictures.length < 2) {
    return offered.map(row);
  }
  return pictures.flatMap((picture) => {
    const rows = offered.filter(({ repository }) => repository === picture.repository).map(row);
    const heading = { label: repositoryTitle(picture, pictures), kind: vscode.QuickPickItemKind.Separator };
    return rows.length === 0 ? [] : [heading, ...rows];
  });
}

/** A repository's name, with its folder where another one has the same. */
function repositoryTitle(picture: Picture, pictures: readonly Picture[]): string {
  const name = repositoryName(picture);
  const isAlone = pictures.filter((other) => repositoryName(other) === name).length === 1;
  return isAlone ? name : `${name} (${repositoryFolder(picture)})`;
}

/** Whether a worktree is one that work is done in, beside trunk's own checkout. */
export function isBesideTrunk(worktree: Worktree, picture: Picture): boolean {
  return !worktree.missing && worktree.branch !== picture.trunk?.branch;
}

/** The worktree of the active editor's file, else the only one that this window shows. */
export function worktreeHere(pictures: Iterable<Picture>): Choice | undefined {
  const every = choices(pictures, () => true).sort((a, b) => b.worktree.path.length - a.worktree.path.length);
  const file = vscode.window.activeTextEditor?.document.uri;
  const places = file?.scheme === "file" ? [file] : (vscode.workspace.workspaceFolders ?? []).map(({ uri }) => uri);
  const found = places.map(({ fsPath }) => every.find(({ worktree }) => within(fsPath, worktree.path)));
  return found.every((choice) => choice === found[0]) ? found[0] : undefined;
}

/** Lets a person pick; how ready each one is comes a moment later, since it has to be tried. */
export async function pickToMerge(
  pictures: readonly Picture[],
  request: Request,
): Promise<Choice | undefined> {
  const offered = choices(pictures, isBesideTrunk);
  const picker = vscode.window.createQuickPick<Row>();
  picker.title = "Merge Worktree into Trunk";
  picker.placeholder = "Which worktree?";
  picker.matchOnDescription = picker.matchOnDetail = true;
  picker.items = byRepository<Row>(offered, pictures, (choice) => row(choice, overlapText(choice, pictures)));
  picker.busy = true;
  void turns(offered, request).then((known) => {
    const [active, first] = [picker.activeItems[0]?.choice, picker.items.find(({ choice }) => choice !== undefined)?.choice];
    picker.items = byRepository<Row>(ranked(offered, known), pictures, (choice) => {
      const turn = known.get(keyOf(choice));
      return row(choice, turn && turnText(turn), overlapText(choice, pictures));
    });
    if (active !== first) {
      picker.activeItems = picker.items.filter(({ choice }) => choice === active); // the person has gone there
    }
    picker.busy = false;
  });
  return await picked(picker);
}

/** Lets a person pick a worktree of any state. */
export async function pickWorktree(
  offered: readonly Choice[],
  pictures: readonly Picture[],
  title: string,
  detail: (choice: Choice) => string = () => "",
): Promise<Choice | undefined> {
  const rows = byRepository<Row>(offered, pictures, (choice) => row(choice, detail(choice)));
  return (await vscode.window.showQuickPick<Row>(rows, { title, placeHolder: "Which worktree?" }))?.choice;
}

/** The repository of this window, or one that is picked. */
export async function pickRepository(pictures: readonly Picture[]): Promise<string | undefined> {
  const here = pictures.length === 1 ? pictures[0]?.repository : worktreeHere(pictures)?.repository;
  if (here !== undefined || pictures.length === 0) {
    return here;
  }
  const rows = pictures.map((picture) => ({
    label: `$(repo) ${repositoryName(picture)}`,
    description: repositoryFolder(picture),
    repository: picture.repository,
  }));
  return (await vscode.window.showQuickPick(rows, { placeHolder: "Which repository?", matchOnDescription: true }))?.repository;
}

/** `feat-1`, its branch and how far it is from trunk; below that whatever else there is to say. */
function row(choice: Choice, ...details: readonly (string | undefined)[]): Row {
  const { worktree } = choice;
  const detail = details.filter((part) => part).join(" · ");
  const { staged, unstaged, untracked } = worktree.changes;
  const distance = [worktree.ahead > 0 ? `+${worktree.ahead}` : "", worktree.behind > 0 ? `−${worktree.behind}` : ""];
  const description = [
    worktree.branch === worktree.name ? "" : branchText(worktree),
    distance.filter((part) => part !== "").join(" "),
    staged + unstaged + untracked > 0 ? `${staged + unstaged + untracked} uncommitted` : "",
    worktree.integration.state === "integrated" && !detail.includes("integrated") ? "integrated" : "",
  ];
  return {
    label: `$(git-branch) ${worktree.name}`,
    description: description.filter((part) => part !== "").join(" · "),
    choice,
    ...(detail === "" ? {} : { detail }),
  };
}

function overlapText({ worktree, repository }: Choice, pictures: readonly Picture[]): string {
  const picture = pictures.find((one) => one.repository === repository);
  const own = (picture && meetings(picture).get(worktree.path)) ?? [];
  const conflicts = own.filter(({ overlap }) => overlap.verdict === "conflict").length;
  return [plural(conflicts, "conflict"), plural(own.length - conflicts, "overlap")].filter((part) => part).join(", ");
}

function turnText({ ready, why }: Turn): string {
  return ready ? `$(check) ready${why === null ? "" : `; after those before it: ${why}`}` : `$(circle-slash) ${why ?? ""}`;
}

/** What the server says of each, in the order in which to merge; nothing of a repository that it can't plan. */
async function turns(offered: readonly Choice[], request: Request): Promise<Map<string, Turn>> {
  const repositories = [...new Set(offered.map(({ repository }) => repository))];
  const asked = repositories.map(async (repository) => {
    const { order = [] } = await request<OrderAnswer>("sidecar/plan", { repository });
    return order.map((turn): [string, Turn] => [`${repository}\0${turn.path}`, turn]);
  });
  const answers = await Promise.allSettled(asked);
  return new Map(answers.flatMap((answer) => (answer.status === "fulfilled" ? answer.value : [])));
}

function ranked(offered: readonly Choice[], known: ReadonlyMap<string, Turn>): Choice[] {
  const places = [...known.keys()];
  const rank = (choice: Choice): number => (known.has(keyOf(choice)) ? places.indexOf(keyOf(choice)) : places.length);
  return [...offered].sort((a, b) => rank(a) - rank(b));
}

function keyOf({ worktree, repository }: Choice): string {
  return `${repository}\0${worktree.path}`;
}

async function picked(picker: vscode.QuickPick<Row>): Promise<Choice | undefined> {
  return await new Promise((resolve) => {
    picker.onDidAccept(() => {
      resolve(picker.selectedItems[0]?.choice);
      picker.hide();
    });
    picker.onDidHide(() => {
      resolve(undefined);
      picker.dispose();
    });
    picker.show();
  });
}
