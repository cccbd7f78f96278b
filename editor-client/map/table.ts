/** The table as stairs: a row for each worktree, with a cell for trunk and each worktree above, and at its end its step. */

import type { Cell, Choice, Row, Step, Wish } from "../src/map/shown";
import { element, setText } from "./element";
import { markText } from "./marks";
import type { Part } from "./top";

/** From how many rows on the cells are small. */
const MANY = 20;
const PAGE = 10;
const STEP_MARKS: Readonly<Record<Step["state"], string>> = { merges: "✓", stops: "✕", waits: "–", unplanned: "" };
/** The cells of a row: its head, then trunk and the rows above. */
const HEAD = 0;

export interface Table extends Part {
  readonly focus: () => void;
}

/** `entered` is called when a person wants to go on in what is chosen then. */
export function createTable(send: (wish: Wish) => void, entered: (choice: Choice) => void): Table {
  const head = element("thead", {});
  const body = element("tbody", {});
  const grid = element("table", { role: "grid", "aria-label": "Where every two worktrees meet, in the order in which to merge them" }, head, body);
  const pointed = element("p", { id: "pointed", "aria-hidden": "true" });
  const empty = element("p", { id: "empty" }, "There are no worktrees that could meet. Open one for a task, and what it changes is shown here.");
  const root = element("section", { id: "table", "aria-label": "Map" }, element("div", { class: "scroll" }, grid, empty), pointed);
  let rows: readonly Row[] = [];
  let names = "";
  let choice: Choice | null = null;
  /** The cell that has the focus, or had it last. */
  let at: readonly [number, number] = [0, HEAD];

  const cellAt = (row: number, column: number): HTMLElement | undefined => {
    const found = body.rows[row]?.cells[column];
    return found ?? undefined;
  };
  const choiceAt = (row: number, column: number): Choice | undefined => {
    const id = rows[row]?.id;
    return id === undefined ? undefined : { row: id, column: column === HEAD ? null : column === 1 ? "" : (rows[column - 2]?.id ?? null) };
  };
  const place = (target: EventTarget | null): readonly [number, number] | undefined => {
    const cell = (target as Element | null)?.closest<HTMLTableCellElement>("tbody th, tbody td");
    const row = cell?.closest("tr");
    // The step at the end of a row stands for the whole row, as its head does.
    return cell && row ? [row.sectionRowIndex, cell.classList.contains("step") ? HEAD : cell.cellIndex] : undefined;
  };
  const go = (row: number, column: number): void => {
    const lower = Math.min(Math.max(row, 0), rows.length - 1);
    const right = Math.min(Math.max(column, HEAD), lower + 1);
    cellAt(...at)?.setAttribute("tabindex", "-1");
    at = [lower, right];
    const cell = cellAt(lower, right);
    cell?.setAttribute("tabindex", "0");
    cell?.focus();
  };
  const choose = (row: number, column: number): Choice | undefined => {
    const wanted = choiceAt(row, column);
    if (wanted) {
      send({ kind: "choose", choice: wanted });
    }
    return wanted;
  };
  const point = (spot: readonly [number, number] | undefined): void => {
    const [row, column] = spot ?? placeOf(rows, choice ?? undefined) ?? [-1, -1];
    const lit = new Set([row, column - 2]);
    for (const [number, line] of [...body.rows].entries()) {
      line.classList.toggle("lit", lit.has(number));
    }
    for (const [number, cell] of [...(head.rows[0]?.cells ?? [])].entries()) {
      cell.classList.toggle("lit", number > 0 && number === column);
    }
    setText(pointed, row < 0 ? "" : (column === HEAD ? rows[row]?.label : rows[row]?.cells[column - 1]?.label) ?? "");
  };

  grid.addEventListener("click", ({ target }) => {
    const spot = place(target);
    if (spot) {
      go(...spot);
      choose(...spot);
    }
  });
  grid.addEventListener("focusin", ({ target }) => {
    const spot = place(target);
    if (spot) {
      cellAt(...at)?.setAttribute("tabindex", "-1");
      at = spot;
      cellAt(...at)?.setAttribute("tabindex", "0");
      point(spot);
    }
  });
  grid.addEventListener("pointerover", ({ target }) => {
    point(place(target));
  });
  let wasInside = false;
  /** Somebody is in the table with the pointer, or with the keyboard; a click leaves the focus there, but nobody. */
  const tellInside = (): void => {
    const inside = root.matches(":hover") || (document.hasFocus() && grid.querySelector(":focus-visible") !== null);
    if (inside !== wasInside) {
      wasInside = inside;
      send({ kind: "inside", inside });
    }
  };
  root.addEventListener("pointerenter", tellInside);
  root.addEventListener("pointerleave", () => {
    point(grid.contains(document.activeElement) ? at : undefined);
    tellInside();
  });
  grid.addEventListener("focusin", tellInside);
  grid.addEventListener("focusout", () => {
    setTimeout(tellInside);
  });
  window.addEventListener("focus", tellInside);
  window.addEventListener("blur", tellInside);
  grid.addEventListener("keydown", (event) => {
    const [row, column] = at;
    const end = rows.length - 1;
    const all = event.ctrlKey || event.metaKey;
    const moves: Readonly<Record<string, readonly [number, number]>> = {
      ArrowUp: [row - 1, column],
      ArrowDown: [row + 1, column],
      ArrowLeft: [row, column - 1],
      ArrowRight: [row, column + 1],
      PageUp: [row - PAGE, column],
      PageDown: [row + PAGE, column],
      Home: [all ? 0 : row, HEAD],
      End: [all ? end : row, rows.length],
    };
    const move = moves[event.key];
    if (move && !event.altKey) {
      event.preventDefault();
      go(...move);
    } else if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      const wanted = choose(row, column);
      if (wanted) {
        entered(wanted);
      }
    }
  });

  return {
    root,
    focus: () => {
      go(...at);
    },
    show: (shown) => {
      const before = choiceAt(...at);
      const hadFocus = grid.contains(document.activeElement);
      [rows, choice] = [shown.rows, shown.choice];
      const wanted = [shown.trunk, ...rows.flatMap(({ id, name }) => [id, name])].join("\0");
      grid.classList.toggle("many", rows.length > MANY);
      empty.hidden = rows.length > 0 || shown.repository === null;
      grid.hidden = rows.length === 0;
      if (wanted !== names) {
        names = wanted;
        head.replaceChildren(headRow(shown.trunk, rows));
        body.replaceChildren(...rows.map(bodyRow));
        at = placeOf(rows, before) ?? [0, HEAD];
        cellAt(...at)?.setAttribute("tabindex", "0");
        if (hadFocus) {
          go(...at);
        }
      }
      for (const [number, row] of rows.entries()) {
        fill(body.rows[number], row, choice, rows);
      }
      if (!root.matches(":hover") && !grid.contains(document.activeElement)) {
        point(undefined);
      }
    },
  };
}

function headRow(trunk: string, rows: readonly Row[]): HTMLTableRowElement {
  const numbers = rows.slice(0, -1).map(({ name }, at) => element("th", { scope: "col", "aria-label": name }, String(at + 1)));
  const corner = element("th", { scope: "col" }, "Worktree");
  return element("tr", {}, corner, element("th", { scope: "col", "aria-label": trunk }, "T"), ...numbers, element("td", { class: "rest" }));
}

function bodyRow({ name }: Row, at: number, rows: readonly Row[]): HTMLTableRowElement {
  const number = element("span", { class: "number", "aria-hidden": "true" }, String(at + 1));
  const head = element("th", { scope: "row", tabindex: "-1" }, number, element("span", { class: "name" }, name));
  const cells = Array.from({ length: at + 1 }, () => element("td", { tabindex: "-1" }));
  const step = element("td", { class: "step", colspan: String(rows.length - at), "aria-hidden": "true" }, element("b", {}), element("span", {}));
  return element("tr", {}, head, ...cells, step);
}

/** Sets what differs, since most of it stays from one picture to the next. */
function fill(line: HTMLTableRowElement | undefined, row: Row, choice: Choice | null, rows: readonly Row[]): void {
  const [head, ...others] = line?.cells ?? [];
  const step = others.pop();
  if (head === undefined || step === undefined) {
    return;
  }
  set(head, "aria-label", row.label);
  set(head, "title", row.label);
  set(head, "aria-selected", String(choice?.row === row.id && choice.column === null));
  set(step, "class", `step ${row.step.state}`);
  set(step, "title", row.step.text);
  setText(step.children[0] as HTMLElement, STEP_MARKS[row.step.state]);
  setText(step.children[1] as HTMLElement, row.step.text);
  for (const [column, cell] of others.entries()) {
    const what: Cell | undefined = row.cells[column];
    if (what) {
      set(cell, "class", what.mark);
      set(cell, "aria-label", what.label);
      set(cell, "aria-selected", String(isOf(choice, row.id, column === 0 ? "" : (rows[column - 1]?.id ?? ""))));
      setText(cell, markText(what.mark, what.count, what.unsure));
    }
  }
}

/** Whether a choice is of these two, whichever comes first in the order by now. */
function isOf(choice: Choice | null, one: string, other: string): boolean {
  return (choice?.row === one && choice.column === other) || (choice?.row === other && choice.column === one);
}

function set(node: Element, name: string, value: string): void {
  if (node.getAttribute(name) !== value) {
    node.setAttribute(name, value);
  }
}

/** Finds where a choice is now: the same two may have changed places. */
function placeOf(rows: readonly Row[], choice: Choice | undefined): readonly [number, number] | undefined {
  const number = (id: string): number => rows.findIndex((row) => row.id === id);
  const row = choice === undefined ? -1 : number(choice.row);
  if (choice === undefined || row < 0) {
    return undefined;
  }
  if (choice.column === null || choice.column === "") {
    return [row, choice.column === null ? HEAD : 1];
  }
  const other = number(choice.column);
  return other < 0 ? [row, HEAD] : [Math.max(row, other), Math.min(row, other) + 2];
}
