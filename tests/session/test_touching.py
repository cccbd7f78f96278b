"""Which worktrees change, in any way, what another's new lines use: they are worth trying together."""

from contextlib import closing
from pathlib import Path

import pytest

from sidecar.model.findings import Failure
from sidecar.model.settings import Options
from sidecar.session.broken_uses import BrokenUseFinder
from sidecar.session.once import look
from sidecar.session.reader import open_sources
from tests.harness import Content, add_worktree, commit, git, init
from tests.session.breaking_uses import (
    GO,
    JAVA,
    JS,
    MAIN,
    MAIN_WITH_PRICES,
    PRICES,
    PY,
    RUST,
    SHOP,
    TS,
    A,
    Files,
)
from tests.session.pictures import pictured

OTHERWISE = A.replace("text.split()", "text.split(',')")
CALL_GO = "cart.Total(1))"
CALLED = {**PY, "app.py": "from pkg.a import parse\n\nVALUE = parse('x')\n"}
BASKET = {**PY, "pkg/shop.py": SHOP, "app.py": "from pkg.shop import Basket\n\n\ndef fill(basket: Basket):\n    pass\n"}

TOUCHING: dict[str, tuple[Files, Files, Files]] = {
    "python-body": (PY, {"pkg/a.py": OTHERWISE}, {"app.py": "from pkg import a\n\na.parse('x')\n"}),
    "python-an-argument-more": (
        CALLED,
        {"pkg/a.py": A.replace("parse(text)", "parse(text, *, strict=False)")},
        {"app.py": CALLED["app.py"].replace("'x'", "'y'")},
    ),
    "python-method": (
        BASKET,
        {"pkg/shop.py": SHOP.replace(", count=1", "")},
        {"app.py": BASKET["app.py"].replace("pass", "basket.add_item(1, 2)")},
    ),
    "python-moved": (
        PY,
        {"pkg/a.py": None, "pkg/text.py": A},
        {"app.py": "from pkg.a import parse\n\nparse('x')\n"},
    ),
    "javascript": (
        JS,
        {"src/a.js": JS["src/a.js"].replace("(text)", "(text, deep)")},
        {"src/b.js": "import { parse } from './a.js';\nparse('x');\n"},
    ),
    "typescript-type": (
        TS,
        {"src/a.ts": TS["src/a.ts"].replace("boolean", "number")},
        {"src/b.ts": "import { Options } from './a';\nexport const n: Options = { deep: true };\n"},
    ),
    "go": (
        GO,
        {"cart/cart.go": GO["cart/cart.go"].replace("n int) int", "n int64) int64")},
        {"main.go": GO["main.go"].replace('"fmt"', '"fmt"\nimport "example.com/shop/cart"').replace("1)", CALL_GO)},
    ),
    "rust": (
        RUST,
        {"src/a.rs": RUST["src/a.rs"].replace("-> usize", "-> u32").replace("text.len()", "1")},
        {"src/b.rs": "use crate::a::parse;\npub fn run() {\n    let n: usize = parse(\"x\");\n}\n"},
    ),
    "java": (JAVA, {PRICES: JAVA[PRICES].replace("return cents", "return cents + 1")}, {MAIN: MAIN_WITH_PRICES}),
}  # fmt: skip
APART: dict[str, tuple[Files, Files, Files]] = {
    "another-definition-of-the-file": (PY, {"pkg/a.py": OTHERWISE}, {"app.py": "from pkg.a import join\n\njoin([])\n"}),
    "the-same-name-of-another-module": (
        {**PY, "pkg/c.py": A},
        {"pkg/a.py": OTHERWISE},
        {"app.py": "from pkg.c import parse\n\nparse('x')\n"},
    ),
    "used-before-on-other-lines": (CALLED, {"pkg/a.py": OTHERWISE}, {"app.py": f"import os\n{CALLED['app.py']}"}),
    "in-a-comment": (CALLED, {"pkg/a.py": OTHERWISE}, {"app.py": f"{CALLED['app.py']}# parse\n"}),
    "new-definition": (PY, {"pkg/a.py": f"{A}\n\ndef more():\n    pass\n"}, {"app.py": "from pkg.a import parse\n"}),
}


def touching(case: tuple[Files, Files, Files], tmp_path: Path) -> tuple[Path, object]:
    main = init(tmp_path / "shop")
    base, changing, using = (dict[str, Content](files) for files in case)
    commit(main, base, "Begin")
    commit(add_worktree(main, "changing"), changing, "Change")
    commit(add_worktree(main, "using"), using, "Use")
    return main, found(main)


def found(main: Path, *, symbols: bool = True) -> object:
    picture, sources = pictured(look(main)), open_sources(main, Options(editor={"symbols": symbols}))
    assert not isinstance(sources, Failure)
    assert picture.trunk is not None
    with closing(sources):
        return BrokenUseFinder(sources).touching(picture.trunk, picture.worktrees, lambda: True)


@pytest.mark.parametrize("name", TOUCHING)
def test_who_uses_what_another_changes(name: str, tmp_path: Path) -> None:
    main, pairs = touching(TOUCHING[name], tmp_path)
    assert pairs == {(str(tmp_path / "changing"), str(tmp_path / "using"))}
    assert found(main, symbols=False) == frozenset()
    git(main, "merge", "--quiet", "changing")
    assert found(main) == frozenset(), "each is tried with trunk anyway"


@pytest.mark.parametrize("name", APART)
def test_who_does_not(name: str, tmp_path: Path) -> None:
    assert touching(APART[name], tmp_path)[1] == frozenset()
