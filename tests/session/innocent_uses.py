"""Pairs of changes over six languages of which nothing is to be told."""

from __future__ import annotations

from tests.session.breaking_uses import (
    A_WITHOUT,
    DEEPER,
    GO,
    JAVA,
    JAVA_ROUND,
    JS,
    MAIN,
    MAIN_WITH_PRICES,
    PRICES,
    PY,
    RUST,
    TS,
    A,
    Case,
)

A_CALLED = "def parse(text):\n    pass\n"
ROUND_NOTHING = JAVA_ROUND.replace("int cents", "")

INNOCENT = (
    Case(
        "python-kept-by-an-import",
        PY,
        {"pkg/a.py": f"from pkg.text import parse\n\n{A_WITHOUT}", "pkg/text.py": A},
        {"app.py": "from pkg.a import parse\n"},
    ),
    Case(
        "python-another-module", {**PY, "pkg/c.py": A}, {"pkg/a.py": A_WITHOUT}, {"app.py": "from pkg.c import parse\n"}
    ),
    Case(
        "python-another-library",
        PY,
        {"pkg/a.py": A_WITHOUT},
        {"app.py": "from dateutil.a import parse\n\nparse('x')\n"},
    ),
    Case(
        "python-name-of-its-own", PY, {"pkg/a.py": A_WITHOUT}, {"app.py": "def parse(x):\n    return x\n\n\nparse(1)\n"}
    ),
    Case(
        "python-shadowed",
        PY,
        {"pkg/a.py": A_WITHOUT},
        {"pkg/a.py": f"{A}\n\ndef last(parse):\n    return parse('x')\n"},
    ),
    Case(
        "python-in-a-comment-or-text",
        PY,
        {"pkg/a.py": A_WITHOUT},
        {"app.py": "# parse\nVALUE = 'from pkg.a import parse'\n"},
    ),
    Case(
        "python-used-before",
        {**PY, "app.py": "from pkg.a import parse\n\nparse('a')\nVALUE = 1\n"},
        {"pkg/a.py": A_WITHOUT, "app.py": "VALUE = 1\n"},
        {"pkg/b.py": "import os\nimport re\n"},
    ),
    Case(
        "python-both-removed-it",
        PY,
        {"pkg/a.py": A_WITHOUT},
        {"pkg/a.py": A_WITHOUT, "app.py": "def parse(x):\n    pass\n"},
    ),
    Case(
        "python-private-attribute",
        PY,
        {"pkg/a.py": A_WITHOUT},
        {"app.py": "def run(tool):\n    return tool.parse(1)\n"},
    ),
    Case(
        "python-enough-arguments",
        PY,
        {"pkg/a.py": A.replace("parse(text)", "parse(text, mode)")},
        {"app.py": "from pkg.a import parse\n\nparse(*VALUES)\n"},
    ),
    Case(
        "python-optional-parameter",
        PY,
        {"pkg/a.py": A.replace("parse(text)", "parse(text, mode=None)")},
        {"app.py": "from pkg.a import parse\n\nparse('a')\n"},
    ),
    Case("python-half-typed", PY, {"pkg/a.py": A_WITHOUT + "def (\n"}, {"app.py": "from pkg.a import parse\n"}),
    Case(
        "python-made-while-it-runs",
        PY,
        {"pkg/a.py": f"{A_WITHOUT}\n\ndef __getattr__(name):\n    return join\n"},
        {"app.py": "from pkg.a import parse\n"},
    ),
    Case(
        "python-module-to-package",
        PY,
        {"pkg/a.py": None, "pkg/a/__init__.py": A},
        {"app.py": "from pkg.a import parse\n"},
    ),
    Case(
        "python-renamed-with-its-own-uses",
        PY,
        {"pkg/a.py": None, "pkg/text.py": A},
        {"pkg/a.py": f"{A}\n\ndef last():\n    return parse('x')\n"},
    ),
    Case(
        "python-renamed-and-split",
        PY,
        {"pkg/a.py": None, "pkg/text.py": f"from pkg.c import parse\n\n{A_WITHOUT}", "pkg/c.py": A_CALLED},
        {"pkg/a.py": f"{A}\n\ndef last():\n    return parse('x')\n"},
    ),
    Case(
        "python-whose-import-was-changed-too",
        {**PY, "app.py": "from pkg.a import parse\n\n\ndef one():\n    return parse('a')\n\n\nX = 1\nY = 2\n"},
        {
            "pkg/a.py": A_WITHOUT,
            "pkg/c.py": A_CALLED,
            "app.py": "from pkg.c import parse\n\n\ndef one():\n    return parse('a')\n\n\nX = 1\nY = 2\n",
        },
        {"app.py": "from pkg.a import parse\n\n\ndef one():\n    return parse('a')\n\n\nX = 1\nY = parse('b')\n"},
    ),
    Case(
        "python-framework-method",
        {**PY, "pkg/v.py": "class V(View):\n    def get_queryset(self):\n        pass\n"},
        {"pkg/v.py": "class V(View):\n    pass\n"},
        {"app.py": "from pkg.v import V\n\nV().get_queryset()\n"},
    ),
    Case(
        "javascript-package-of-that-name",
        JS,
        {"src/a.js": "export const LIMIT = 3;\n"},
        {"src/b.js": "import { parse } from 'a';\nparse('x');\n"},
    ),
    Case(
        "javascript-exported-from-elsewhere",
        JS,
        {"src/a.js": "export { parse } from './text';\n", "src/text.js": JS["src/a.js"]},
        {"src/b.js": "import { parse } from './a';\n"},
    ),
    Case(
        "javascript-fewer-arguments",
        JS,
        {"src/a.js": JS["src/a.js"].replace("(text)", "(text, mode)")},
        {"src/b.js": "import { parse } from './a';\nparse('x');\n"},
    ),
    Case("javascript-key", JS, {"src/a.js": "export const LIMIT = 3;\n"}, {"src/b.js": "const n = { parse: 1 };\n"}),
    Case(
        "typescript-file-of-another-ending",
        TS,
        {"src/a.ts": None, "src/a.tsx": TS["src/a.ts"]},
        {"src/b.ts": "import { walk } from './a';\n"},
    ),
    Case(
        "typescript-optional",
        TS,
        {"src/a.ts": DEEPER.replace("depth", "depth?")},
        {"src/b.ts": "import { walk } from './a';\nwalk('.');\n"},
    ),
    Case(
        "go-moved-within-the-package",
        GO,
        {
            "cart/cart.go": "package cart\n\nfunc Empty() {}\n",
            "cart/list.go": "package cart\n\nvar Size = 1\n\nfunc Total(n int) int {\n\treturn n\n}\n",
        },
        {"main.go": 'package main\n\nimport "example.com/shop/cart"\n\nfunc main() {\n\tcart.Total(1)\n}\n'},
    ),
    Case(
        "go-another-module",
        GO,
        {"cart/cart.go": "package cart\n\nfunc Empty() {}\n"},
        {"main.go": 'package main\n\nimport "other.org/shop/cart"\n\nfunc main() {\n\tcart.Total(1)\n}\n'},
    ),
    Case(
        "go-file-deleted-package-kept",
        GO,
        {"cart/list.go": None},
        {"main.go": 'package main\n\nimport "example.com/shop/cart"\n\nfunc main() {\n\tcart.Empty()\n}\n'},
    ),
    Case(
        "rust-another-module",
        {**RUST, "src/c.rs": RUST["src/a.rs"]},
        {"src/a.rs": RUST["src/a.rs"].partition("}\n\n")[2]},
        {"src/b.rs": 'use crate::c::parse;\npub fn run() { parse(""); }\n'},
    ),
    Case(
        "rust-kept-by-use",
        RUST,
        {"src/a.rs": "pub use crate::b::parse;\n", "src/b.rs": "pub fn parse() {}\npub fn run() {}\n"},
        {"src/lib.rs": "pub mod a;\npub mod b;\nuse crate::a::parse;\n"},
    ),
    Case("java-another-package", JAVA, {PRICES: None}, {MAIN: JAVA[MAIN].replace("int n = 1", "Prices prices")}),
    Case(
        "java-overloaded",
        {**JAVA, PRICES: JAVA[PRICES].replace(JAVA_ROUND, JAVA_ROUND + ROUND_NOTHING)},
        {PRICES: JAVA[PRICES].replace(JAVA_ROUND, JAVA_ROUND.replace("int cents", "int cents, int to"))},
        {MAIN: MAIN_WITH_PRICES},
    ),
    Case(
        "conflict-is-told-as-one",
        PY,
        {"pkg/a.py": A_WITHOUT},
        {"pkg/a.py": A.replace("text.split()", "parse(text[1:])")},
    ),
    Case(
        "generated",
        {**PY, ".gitattributes": "pkg/a.py linguist-generated\n"},
        {"pkg/a.py": A_WITHOUT},
        {"app.py": "from pkg.a import parse\n"},
    ),
)
