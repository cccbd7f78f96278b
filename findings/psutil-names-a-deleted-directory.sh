#!/bin/sh
# psutil 7.2.2, seen on 2026-11-29 with Python 3.11 on Linux 6.
# One would guess: the working directory of a process is a path in which the process is.
# What happens: where the directory was deleted, psutil takes Linux's mark " (deleted)" off. Once a new directory is made
# at the path (a worktree that was removed and added again), `Process.cwd()` names the new one, and the process is in none.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv tools
tools/bin/pip install --quiet --quiet --disable-pip-version-check psutil==7.2.2

mkdir worktree
cat > ask.py <<'END'
import os, subprocess, psutil
path = os.path.realpath("worktree")
process = subprocess.Popen(["cat"], cwd=path, stdin=subprocess.PIPE)
os.rmdir(path)
os.mkdir(path)
told = psutil.Process(process.pid).cwd()
print("psutil names the new directory:", told == path)
print("the process is in it:", os.path.samefile(f"/proc/{process.pid}/cwd", path))
print("Linux marks the old one:", os.readlink(f"/proc/{process.pid}/cwd") == f"{path} (deleted)")
process.communicate()
END
expected="psutil names the new directory: True
the process is in it: False
Linux marks the old one: True"
seen=$(tools/bin/python ask.py)

[ "$seen" = "$expected" ] || {
  printf 'Changed. Expected:\n%s\nSeen:\n%s\n' "$expected" "$seen"
  exit 1
}
printf '%s\nAs described.\n' "$seen"
