/** The page of the overlap map: shows what the extension sends, and sends back what a person wants. */

import type { Kept, Shown, Wish } from "../src/map/shown";
import { createDetails } from "./details";
import { element } from "./element";
import { createTable } from "./table";
import { createTop } from "./top";

interface Host {
  readonly postMessage: (wish: Wish) => void;
  readonly getState: () => Kept | undefined;
  readonly setState: (kept: Kept) => void;
}

declare function acquireVsCodeApi(): Host;

const host = acquireVsCodeApi();
const send = (wish: Wish): void => {
  host.postMessage(wish);
};
const top = createTop(send);
const details = createDetails(send, () => {
  table.focus();
});
const table = createTable(send, details.focus);
document.body.append(top.root, element("main", {}, table.root, details.root));
window.addEventListener("message", ({ data }: MessageEvent<Shown>) => {
  top.show(data);
  table.show(data);
  details.show(data);
  host.setState({ repository: data.repository, choice: data.choice });
});
send({ kind: "begin", kept: host.getState() ?? null });
