#!/bin/sh
# tree-sitter (py-tree-sitter) 0.26.1 with tree-sitter-python 0.25.0, seen on 2026-11-30 with Python 3.11 on Linux 6.
# One would guess: a text that is given in pieces, by a function, takes no more memory than one that is given at once, and
# is let go when the tree is.
# What happens: every piece that the function returned stays for good, after the tree, the parser and the function are
# gone. A process that parses again and again grows by all that it ever read so.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv tools
tools/bin/pip install --quiet --quiet --disable-pip-version-check tree-sitter==0.26.1 tree-sitter-python==0.25.0

cat > ask.py <<'END'
import gc, sys
import tree_sitter, tree_sitter_python

text = b"".join(b"value_%d = %d\n" % (number, number) for number in range(2000))
given = []

def piece(at, _point):
    given.append(text[at : at + 4096] + b"")
    return given[-1]

parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_python.language()))
tree = parser.parse(piece)
print("read without an error:", not tree.root_node.has_error)
del tree, parser
gc.collect()
print("pieces given:", len(given) > 5)
compared = [bytes(1000) for _ in given]  # which nobody but this script has
more = {sys.getrefcount(one) for one in given[:5]}, {sys.getrefcount(one) for one in compared[:5]}
print("each has one more reference than it should:", more == ({5}, {4}))

at_once = text + b""
before = sys.getrefcount(at_once)
tree = tree_sitter.Parser(tree_sitter.Language(tree_sitter_python.language())).parse(at_once)
del tree
gc.collect()
print("one given at once is let go:", sys.getrefcount(at_once) == before)
END
expected="read without an error: True
pieces given: True
each has one more reference than it should: True
one given at once is let go: True"
seen=$(tools/bin/python ask.py)

[ "$seen" = "$expected" ] || {
  printf 'Changed. Expected:\n%s\nSeen:\n%s\n' "$expected" "$seen"
  exit 1
}
printf '%s\nAs described.\n' "$seen"
