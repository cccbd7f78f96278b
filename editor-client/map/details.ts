/** What was chosen in the table: the files of two worktrees, each of which opens its comparison. */

import type { Action, Choice, File, Wish } from "../src/map/shown";
import { element, setText } from "./element";
import { GLYPHS, WORDS } from "./marks";
import type { Part } from "./top";

/** How many files are listed before a person asks for more. */
const MOST = 300;
const ACTIONS: Readonly<Record<Action, string>> = { merge: "Merge into Trunk...", open: "Open in New Window" };

export interface Details extends Part {
  /** Goes to the files of a choice as soon as they are shown. */
  readonly focus: (choice: Choice) => void;
}

/** `left` is called when a person wants to go back to the table. */
export function createDetails(send: (wish: Wish) => void, left: () => void): Details {
  const title = element("h2", { tabindex: "-1" });
  const text = element("p", {});
  const actions = element("div", { class: "tools" });
  const list = element("ul", {});
  const more = element("button", { type: "button" });
  const hint = element("p", { class: "hint" }, "Choose a cell to see its files, or a worktree to see all that it meets. Arrow keys move, Enter goes to the files, Escape back.");
  const root = element("aside", { "aria-label": "What was chosen" }, title, text, actions, list, more, hint);
  let files: readonly File[] = [];
  let most = MOST;
  let drawn = "";
  let of: Choice | null = null;
  let awaited = "";

  const draw = (): void => {
    const focused = (document.activeElement as HTMLElement | null)?.dataset["file"];
    list.replaceChildren(...files.slice(0, most).map(row));
    more.hidden = files.length <= most;
    more.textContent = `Show ${Math.min(MOST, files.length - most)} more of ${files.length} files`;
    if (focused !== undefined) {
      const buttons = [...list.querySelectorAll<HTMLElement>("button")];
      (buttons.find(({ dataset }) => dataset["file"] === focused) ?? buttons[0] ?? title).focus();
    }
  };
  list.addEventListener("click", ({ target }) => {
    const file = (target as Element).closest<HTMLElement>("button")?.dataset["file"];
    if (file !== undefined) {
      send({ kind: "compare", file });
    }
  });
  more.addEventListener("click", () => {
    const next = most;
    most += MOST;
    draw();
    list.querySelectorAll("button")[next]?.focus();
  });
  root.addEventListener("keydown", (event) => {
    const buttons = [...root.querySelectorAll<HTMLElement>("button:not([hidden])")];
    const at = buttons.indexOf(document.activeElement as HTMLElement);
    const next = { ArrowDown: at + 1, ArrowUp: at - 1 }[event.key];
    if (event.key === "Escape") {
      left();
    } else if (next !== undefined && buttons[next]) {
      event.preventDefault();
      buttons[next].focus();
    }
  });
  const enter = (): void => {
    (list.querySelector("button") ?? title).focus();
  };
  return {
    root,
    focus: (choice) => {
      awaited = JSON.stringify(choice);
    },
    show: ({ choice, chosen }) => {
      if (JSON.stringify(choice) !== JSON.stringify(of)) {
        [of, most] = [choice, MOST];
      }
      const wanted = JSON.stringify(chosen);
      if (wanted !== drawn || list.childElementCount === 0) {
        drawn = wanted;
        files = chosen?.files ?? [];
        setText(title, chosen?.title ?? "");
        setText(text, chosen?.text ?? "");
        actions.replaceChildren(...(chosen?.actions ?? []).map((action) => button(action, choice, send)));
        draw();
      }
      title.hidden = text.hidden = chosen === null;
      root.classList.toggle("nothing", chosen === null);
      if (awaited === JSON.stringify(choice)) { // a picture may have come between
        awaited = "";
        enter();
      }
    },
  };
}

function row({ id, mark, path, details }: File): HTMLLIElement {
  const glyph = element("span", { class: `mark ${mark}`, "aria-hidden": "true" }, GLYPHS[mark]);
  const verdict = element("span", { class: "spoken" }, `${WORDS[mark]}: `);
  const texts = element("span", {}, verdict, element("span", { class: "path" }, path), element("small", {}, details));
  return element("li", {}, element("button", { type: "button", "data-file": id, title: "Compare" }, glyph, texts));
}

function button(action: Action, choice: Choice | null, send: (wish: Wish) => void): HTMLButtonElement {
  const made = element("button", { type: "button" }, ACTIONS[action]);
  made.addEventListener("click", () => {
    send({ kind: "act", action, row: choice?.row ?? "" });
  });
  return made;
}
