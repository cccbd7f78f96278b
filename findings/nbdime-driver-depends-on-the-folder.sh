#!/bin/sh
# nbdime 4.0.4, seen on 2026-11-29.
# One would guess: a merge driver's answer depends on the three versions that it is given, wherever it is started.
# What happens: git-nbmergedriver takes nbdime_config.json from the folder in which it runs. The same three notebooks
# conflict in one folder and merge in another: asked from anywhere but the top of trunk's checkout, it is another driver.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv tools
tools/bin/pip install --quiet --quiet --disable-pip-version-check nbdime==4.0.4
export PATH="$work/tools/bin:$PATH" HOME="$work" GIT_TEMPLATE_DIR="$work/tools/share/git-core/templates"

python - << 'END'
import json

for name, text in {"base": "x = 1", "ours": "x = 2", "theirs": "x = 3"}.items():
    cell = {"cell_type": "code", "execution_count": None, "id": "one", "metadata": {}, "outputs": [], "source": [text]}
    with open(f"{name}.ipynb", "w") as file:
        json.dump({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}, file)
END
mkdir with without
echo '{"NbMergeDriver": {"input_strategy": "use-remote"}}' > with/nbdime_config.json

expected="without: 1
with: 0"
seen=$(for folder in without with; do
  cd "$work/$folder"
  cp ../ours.ipynb ours.ipynb
  git-nbmergedriver merge ../base.ipynb ours.ipynb ../theirs.ipynb 7 a.ipynb 2> /dev/null && status=0 || status=$?
  echo "$folder: $status"
done)

[ "$seen" = "$expected" ] || {
  printf 'Changed. Expected:\n%s\nSeen:\n%s\n' "$expected" "$seen"
  exit 1
}
printf '%s\nAs described.\n' "$seen"
