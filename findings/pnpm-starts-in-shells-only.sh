#!/bin/sh
# pnpm 12.21.0, seen on 2026-11-29 with Node.js 20 on Linux.
# One would guess: after `npm install --ignore-scripts pnpm` the command pnpm either works or does not.
# What happens: it works when a shell starts it, and not when a program does: the file has no #! line before its install
# script has run, so that exec fails with "Exec format error", which shells answer by reading it themselves.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv tools
npm install --silent --no-save --no-audit --no-fund --prefix tools --ignore-scripts pnpm@12.21.0
export PATH="$work/tools/bin:$work/tools/node_modules/.bin:$PATH" HOME="$work" GIT_TEMPLATE_DIR="$work/tools/share/git-core/templates"

expected="by a shell: 12.21.0
by a program: Exec format error"
seen="by a shell: $(sh -c 'pnpm --version')
by a program: $(python - << 'END'
import os, subprocess

try:
    print(subprocess.run(["pnpm", "--version"], check=True, capture_output=True, text=True).stdout.strip())
except OSError as error:
    print(os.strerror(error.errno))
END
)"

[ "$seen" = "$expected" ] || {
  printf 'Changed. Expected:\n%s\nSeen:\n%s\n' "$expected" "$seen"
  exit 1
}
printf '%s\nAs described.\n' "$seen"
