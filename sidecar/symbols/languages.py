"""Know the languages whose definitions are understood: their files, their grammars, and what to look for in them.

The patterns are data: files of tree-sitter queries for each language, in sections. The grammars are an extra,
`worktree-sidecar[symbols]`: without it `is_available` says no, and nothing else here may be called.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Language, Parser, Query

PYTHON, JAVASCRIPT, TYPESCRIPT, TSX, GO, RUST, JAVA = "python", "javascript", "typescript", "tsx", "go", "rust", "java"

EXTENSIONS: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys((".py", ".pyi"), PYTHON),
        **dict.fromkeys((".js", ".jsx", ".mjs", ".cjs"), JAVASCRIPT),
        **dict.fromkeys((".ts", ".mts", ".cts"), TYPESCRIPT),
        ".tsx": TSX,
        ".go": GO,
        ".rs": RUST,
        ".java": JAVA,
    }
)
"""The language of a file, by how its name ends."""

FAMILIES: Mapping[str, str] = MappingProxyType({JAVASCRIPT: "web", TYPESCRIPT: "web", TSX: "web"})
"""Languages whose files import each other count as one."""

MODULES = ("tree_sitter", *(f"tree_sitter_{name}" for name in (PYTHON, JAVASCRIPT, TYPESCRIPT, GO, RUST, JAVA)))
"""What the extra brings."""

QUERIES = Path(__file__).with_name("queries")
FILES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {JAVASCRIPT: ("script", JAVASCRIPT), TYPESCRIPT: ("script", TYPESCRIPT), TSX: ("script", TYPESCRIPT)}
)
"""The files of patterns of a language, where that is not one of its name."""


def language_of(path: str) -> str | None:
    """Tell the language of a path; None for one that is not understood."""
    name = path.rpartition("/")[2]
    dot = name.rfind(".")
    return EXTENSIONS.get(name[dot:]) if dot > 0 else None


def family_of(language: str) -> str:
    """Give what languages share whose files import each other."""
    return FAMILIES.get(language, language)


def family_at(path: str) -> str | None:
    """Tell what the language of a path shares with others; None for one that is not understood."""
    language = language_of(path)
    return family_of(language) if language is not None else None


def endings(family: str) -> tuple[str, ...]:
    """Give how the names of a family's files end."""
    return tuple(ending for ending, language in EXTENSIONS.items() if family_of(language) == family)


@cache
def is_available() -> bool:
    """Tell whether the extra is installed, without loading it."""
    return all(find_spec(name) is not None for name in MODULES)


@cache
def grammar(language: str) -> Language:
    """Load the grammar of a language."""
    from tree_sitter import Language

    return Language(_grammar(language))


def _grammar(language: str) -> object:
    """Give the grammar as its package has it; each is loaded where it is needed only."""
    match language:
        case "python":
            import tree_sitter_python

            return tree_sitter_python.language()
        case "javascript":
            import tree_sitter_javascript

            return tree_sitter_javascript.language()
        case "typescript" | "tsx":
            import tree_sitter_typescript

            plain = language == TYPESCRIPT
            return tree_sitter_typescript.language_typescript() if plain else tree_sitter_typescript.language_tsx()
        case "go":
            import tree_sitter_go

            return tree_sitter_go.language()
        case "rust":
            import tree_sitter_rust

            return tree_sitter_rust.language()
        case "java":
            import tree_sitter_java

            return tree_sitter_java.language()
    raise ValueError(language)


@cache
def parser(language: str) -> Parser:
    """Make the parser of a language; for one thread at a time."""
    from tree_sitter import Parser

    return Parser(grammar(language))


@cache
def query(language: str, *sections: str) -> Query | None:
    """Compile sections of a language's patterns; None where there are none."""
    from tree_sitter import Query

    text = "".join(_sections(name)[section] for section in sections for name in FILES.get(language, (language,)))
    return Query(grammar(language), text) if text.strip() else None


@cache
def _sections(name: str) -> Mapping[str, str]:
    """Read a file of patterns; a line `;;; NAME` begins a section."""
    text = (QUERIES / f"{name}.scm").read_text(encoding="utf-8")
    parts = (part.partition("\n") for part in text.split(";;; ")[1:])
    return {title.strip(): body for title, _, body in parts}
