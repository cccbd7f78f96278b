"""No module of `sidecar` imports itself through others: neither at its top, nor in a function, nor for types only.

Nor does a file of the extension; a linter's rule would pass over `import type`.
"""

import ast
import re
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

HOUSE = Path(__file__).parent.parent
_TYPESCRIPT_IMPORT = re.compile(r"""\b(?:from|import)\s*\(?\s*["']\./([^"']+)["']""")


def imports_of(module: str, source: str, modules: set[str]) -> set[str]:
    """Give the modules among `modules` that a source imports, wherever in it."""
    named = {
        known
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
        for known in (f"{node.module}.{alias.name}", node.module)
        if known in modules
    }
    return named - {module}


def circle_of(sources: Mapping[str, str]) -> list[str]:
    """Give one circle of modules, the first again at its end; none where there is none."""
    return circle_in({module: imports_of(module, source, set(sources)) for module, source in sources.items()})


def circle_of_typescript(sources: Mapping[str, str]) -> list[str]:
    """Give one circle of files, each named without its suffix."""
    return circle_in({file: set(_TYPESCRIPT_IMPORT.findall(source)) for file, source in sources.items()})


def circle_in(graph: Mapping[str, set[str]]) -> list[str]:
    """Give one circle of what imports what; none where there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_module_imports_itself_through_others() -> None:
    files = sorted((HOUSE / "sidecar").rglob("*.py"))
    assert len(files) > 100
    sources = {".".join(path.relative_to(HOUSE).with_suffix("").parts): path.read_text("utf-8") for path in files}
    assert circle_of(sources) == []


@pytest.mark.parametrize(
    "back", ["from a import one", "def f():\n    from a import one", "if TYPE_CHECKING:\n    from a import one"]
)
def test_a_circle_is_seen(back: str) -> None:
    assert set(circle_of({"a": "from b import two", "b": back})) == {"a", "b"}
    assert circle_of({"a": "from b import two", "b": "two = 2"}) == []


def test_no_file_of_the_extension_imports_itself_through_others() -> None:
    sources = {path.stem: path.read_text("utf-8") for path in (HOUSE / "editor-client" / "src").glob("*.ts")}
    assert len(_TYPESCRIPT_IMPORT.findall(sources["extension"])) > 10
    assert circle_of_typescript(sources) == []


@pytest.mark.parametrize(
    "back",
    ['import type { One } from "./a";', 'import {\n  one,\n} from "./a";', 'import "./a";', 'await import("./a");'],
)
def test_a_circle_of_the_extension_is_seen(back: str) -> None:
    assert set(circle_of_typescript({"a": 'import { two } from "./b";', "b": back})) == {"a", "b"}
    assert circle_of_typescript({"a": 'import { two } from "./b";', "b": ""}) == []
