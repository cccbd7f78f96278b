/** The top of the page: what there is in a sentence, what the marks mean, and what can be done with all. */

import type { Mark, Shown, Wish } from "../src/map/shown";
import { element, setText } from "./element";
import { GLYPHS, WORDS } from "./marks";

const SHOWN: readonly Mark[] = ["conflict", "clean", "identical", "unknown"];

export interface Part {
  readonly root: HTMLElement;
  readonly show: (shown: Shown) => void;
}

export function createTop(send: (wish: Wish) => void): Part {
  const summary = element("p", { id: "summary", role: "status" });
  const order = element("p", { id: "order", role: "status" });
  const mergeAll = element("button", { type: "button", id: "merge-all" }, "Merge All That Are Ready...");
  const repositories = element("select", { "aria-label": "Repository" });
  const marks = SHOWN.map((mark) =>
    element("li", {}, element("span", { class: `mark ${mark}`, "aria-hidden": "true" }, GLYPHS[mark]), WORDS[mark]),
  );
  const trunk = element("span", {});
  const others = [element("li", {}, "numbers count files"), element("li", {}, "T: ", trunk)];
  const legend = element("ul", { id: "legend", "aria-label": "What the marks mean" }, ...marks, ...others);
  const text = element("div", {}, element("h1", {}, "Overlap Map"), summary, order);
  const root = element("header", {}, text, element("div", { class: "tools" }, repositories, mergeAll), legend);
  mergeAll.addEventListener("click", () => {
    send({ kind: "mergeAll" });
  });
  repositories.addEventListener("change", () => {
    send({ kind: "repository", repository: repositories.value });
  });
  return {
    root,
    show: (shown) => {
      setText(summary, shown.summary);
      setText(order, shown.order);
      setText(trunk, shown.trunk);
      mergeAll.hidden = shown.ready === 0;
      repositories.hidden = shown.repositories.length < 2;
      const known = [...repositories.options].map(({ value, text: name }) => `${value}\0${name}`).join("\0");
      if (known !== shown.repositories.map(({ id, name }) => `${id}\0${name}`).join("\0")) {
        repositories.replaceChildren(...shown.repositories.map(({ id, name }) => element("option", { value: id }, name)));
      }
      repositories.value = shown.repository ?? "";
    },
  };
}
