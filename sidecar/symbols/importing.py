"""Tell which file an import means, as its language finds it: exactly, or not at all.

What depends on more than the files themselves (search paths, bundlers' aliases, other repositories) means none of them.
"""

from __future__ import annotations

import posixpath
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from sidecar.symbols.languages import GO, JAVA, PYTHON, RUST, family_of
from sidecar.symbols.reading import Import

WEB = "web"
WEB_ENDINGS = (".ts", ".tsx", ".d.ts", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs", ".json", ".vue", ".svelte")
PYTHON_ROOTS = ("", "src", "lib", "python")
"""Where, below a directory above the file that imports, modules are looked for."""

GO_MODULE = re.compile(rb"^module\s+\"?([^\s\"]+)", re.MULTILINE)


@dataclass(frozen=True)
class Files:
    """The files of one tree, as far as resolving has to look: `read` gives a file's content, None where it is not."""

    read: Callable[[str], bytes | None]

    @cached_property
    def _modules(self) -> dict[str, str | None]:
        return {}

    def has(self, path: str) -> bool:
        """Tell whether there is such a file."""
        return self.read(path) is not None

    def go_module(self, directory: str) -> str | None:
        """Give the import path of a directory: by the nearest `go.mod` above it."""
        if directory not in self._modules:
            content = self.read(posixpath.join(directory, "go.mod"))
            found = GO_MODULE.search(content) if content is not None else None
            if found is not None:
                self._modules[directory] = found[1].decode("utf-8", "replace")
            elif not directory:
                self._modules[directory] = None
            else:
                above, _, name = directory.rpartition("/")
                root = self.go_module(above)
                self._modules[directory] = f"{root}/{name}" if root is not None else None
        return self._modules[directory]


def stem(path: str) -> str:
    """Give what a module's path is without its ending, a package's own file standing for its directory."""
    directory, _, name = path.rpartition("/")
    bare = name[: -len(".d.ts")] if name.endswith(".d.ts") else name.rpartition(".")[0]
    if bare in ("__init__", "mod", "index"):
        return directory
    return f"{directory}/{bare}" if directory else bare


def alternatives(path: str, language: str) -> tuple[str, ...]:
    """Give every file that could stand for the same module."""
    base, family = stem(path), family_of(language)
    if language == PYTHON:
        return tuple(f"{base}{ending}" for ending in (".py", "/__init__.py", ".pyi", "/__init__.pyi", ".pyx", ".so"))
    if language == RUST:
        return f"{base}.rs", f"{base}/mod.rs"
    if family == WEB:
        return tuple(f"{base}{join}{ending}" for join in ("", "/index") for ending in WEB_ENDINGS)
    return (path,)


def means(one: Import, importer: str, path: str, language: str, files: Files) -> str | None:
    """Tell what an import has of the module at `path`: "name" one of its names, "module" itself; None for neither."""
    if importer == path:
        return None
    match language:
        case "python":
            return _python(one, importer, path, files)
        case "go":
            directory = path.rpartition("/")[0]
            same = directory == importer.rpartition("/")[0]
            return "module" if not same and files.go_module(directory) == one.module else None
        case "rust":
            return _rust(one, importer, path)
        case "java":
            return _java(one, path)
    return _web(one, importer, path)


def _python(one: Import, importer: str, path: str, files: Files) -> str | None:
    target = stem(path)
    for base in _python_bases(one.module, importer, files):
        if base == target:
            return "name" if one.name is not None else "module"
        if one.name is not None and f"{base}/{one.name}".lstrip("/") == target:
            return "module"
    return None


def _python_bases(module: str, importer: str, files: Files) -> Iterator[str]:
    """Give the paths, without an ending, that a module may be found at."""
    named = module.lstrip(".")
    parts, dots = named.replace(".", "/"), len(module) - len(named)
    directory = importer.rpartition("/")[0]
    if dots:
        for _ in range(dots - 1):
            directory = directory.rpartition("/")[0]
        yield posixpath.join(directory, parts).rstrip("/")
        return
    if named.partition(".")[0] in sys.stdlib_module_names:
        return
    while True:
        if not directory or not files.has(f"{directory}/__init__.py"):
            for root in PYTHON_ROOTS:
                yield posixpath.join(directory, root, parts)
        if not directory:
            return
        directory = directory.rpartition("/")[0]


def _web(one: Import, importer: str, path: str) -> str | None:
    if not one.module.startswith("."):
        return None
    place = posixpath.normpath(posixpath.join(importer.rpartition("/")[0], one.module))
    script = re.sub(r"\.([mc]?)js(x?)$", "", place)
    if place != path and stem(path) not in (place, script) and place != path.rpartition(".")[0]:
        return None
    return "name" if one.name is not None else "module"


def crate_root(path: str) -> str | None:
    """Give the directory of the crate that a file of Rust is part of: the nearest `src`."""
    parts = path.split("/")[:-1]
    for count in range(len(parts), 0, -1):
        if parts[count - 1] == "src":
            return "/".join(parts[:count])
    return None


def rust_module(path: str) -> str | None:
    """Give the module that a file of Rust is, from its crate on: `a/b`; "" for the root."""
    root = crate_root(path)
    if root is None:
        return None
    inside = stem(path)[len(root) + 1 :]
    return "" if inside in ("lib", "main") else inside


def _rust(one: Import, importer: str, path: str) -> str | None:
    here, there, root = rust_module(importer), rust_module(path), crate_root(path)
    if here is None or there is None or crate_root(importer) != root:
        return None
    head, *rest = one.module.split("::")
    if head == "crate":
        base: list[str] = []
    elif head == "self":
        base = here.split("/") if here else []
    elif head == "super":
        base = here.split("/")[:-1]
        while rest and rest[0] == "super":
            base, rest = base[:-1], rest[1:]
    else:
        return None
    module = "/".join((*base, *rest))
    if module == there:
        return "name" if one.name is not None else None
    return "module" if one.name is not None and "/".join((*base, *rest, one.name)) == there else None


def _java(one: Import, path: str) -> str | None:
    if one.star:
        return None
    file = f"/{path}"
    if not file.endswith(f"/{one.module.replace('.', '/')}.java"):
        return None
    return "name" if one.name is not None else "module"


def is_same_package(one: str, other: str, language: str) -> bool:
    """Tell whether two files see each other's names without an import."""
    if language == GO:
        return one.rpartition("/")[0] == other.rpartition("/")[0]
    if language == JAVA:
        return java_package(one) == java_package(other)
    return False


def java_package(path: str) -> str:
    """Give the directory of a file of Java; tests and what they test have one package."""
    return re.sub(r"(^|/)src/(main|test)/java/", r"\1src/java/", path.rpartition("/")[0])
