"""Git objects written by hand, so that a property can have thousands of trees without a process for each."""

import hashlib
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.harness import git_bytes, init

File = tuple[int, bytes]
"""Mode and content; a submodule's content is its commit id in hex."""

Files = Mapping[str, File]
"""What a tree has, by path."""

FILE, EXECUTABLE, SYMLINK, SUBMODULE = 0o100644, 0o100755, 0o120000, 0o160000
_TREE = 0o40000


@dataclass(frozen=True)
class Store:
    """A bare repository whose objects are written without git."""

    path: Path

    def write(self, kind: str, content: bytes) -> str:
        """The id of an object, which is there afterwards."""
        framed = b"%s %d\0%s" % (kind.encode(), len(content), content)
        oid = hashlib.sha1(framed).hexdigest()
        place = self.path / "objects" / oid[:2] / oid[2:]
        if not place.exists():
            place.parent.mkdir(exist_ok=True)
            place.write_bytes(zlib.compress(framed, 1))
        return oid

    def tree(self, files: Files) -> str:
        """The id of a tree with these files."""
        entries: dict[str, tuple[int, str]] = {}
        below: dict[str, dict[str, File]] = {}
        for path, (mode, content) in files.items():
            name, slash, rest = path.partition("/")
            if slash:
                below.setdefault(name, {})[rest] = (mode, content)
            else:
                entries[name] = (mode, content.decode() if mode == SUBMODULE else self.write("blob", content))
        assert not entries.keys() & below.keys(), "a path is a file and a directory"
        entries |= {name: (_TREE, self.tree(inner)) for name, inner in below.items()}
        ordered = sorted(entries.items(), key=lambda item: item[0] + "/" * (item[1][0] == _TREE))
        return self.write("tree", b"".join(b"%o %s\0%s" % (m, n.encode(), bytes.fromhex(o)) for n, (m, o) in ordered))

    def commit(self, tree: str, *parents: str, note: str = "") -> str:
        """The id of a commit."""
        lines = [f"tree {tree}", *(f"parent {parent}" for parent in parents)]
        lines += ["author A <a@example.com> 0 +0000", "committer A <a@example.com> 0 +0000", "", note]
        return self.write("commit", "\n".join(lines).encode())

    def git(self, *arguments: str, accept_failure: bool = False) -> bytes:
        """What git prints here."""
        return git_bytes(self.path, *arguments, check=not accept_failure)

    def git_input(self, text: str, *arguments: str) -> bytes:
        """What git prints here when it is told something."""
        return git_bytes(self.path, *arguments, input=text)

    def merge(self, ours: str, theirs: str) -> bytes:
        """The fields of git's merge of two commits, as `merge-tree -z` prints them."""
        return self.git("merge-tree", "--write-tree", "--messages", "-z", ours, theirs, accept_failure=True)

    def files(self, tree: str) -> dict[str, tuple[int, str]]:
        """Path -> mode and object id of everything in a tree, as git lists it."""
        rows = self.git("ls-tree", "-r", "-z", "--full-tree", tree).decode().split("\0")
        found = {}
        for head, _, path in (row.partition("\t") for row in rows if row):
            mode, _, oid = head.split(" ")
            found[path] = (int(mode, 8), oid)
        return found


def open_store(path: Path) -> Store:
    """A new one."""
    return Store(init(path, "--bare"))
