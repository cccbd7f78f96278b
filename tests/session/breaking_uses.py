"""Pairs of changes over six languages: one side takes something away that the other newly uses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Files = Mapping[str, str | None]


@dataclass(frozen=True)
class Case:
    """What both sides had, what each makes of it (None: deleted), and what is told: (did, symbol, where, nowhere)."""

    name: str
    base: Mapping[str, str]
    taking: Files
    using: Files
    told: tuple[str, str, str, bool | None] | None = None


A = 'def parse(text):\n    return text.split()\n\n\ndef join(parts):\n    return " ".join(parts)\n'
A_WITHOUT = 'def join(parts):\n    return " ".join(parts)\n'
A_CALLED_OTHERWISE = A.replace("parse", "parse_text")
SHOP = "class Basket:\n    def add_item(self, item, count=1):\n        pass\n\n    def total(self):\n        return 0\n"
PY = {"pkg/__init__.py": "", "pkg/a.py": A, "pkg/b.py": "import os\n", "app.py": "VALUE = 1\n"}

JS = {
    "src/a.js": "export function parse(text) {\n  return text.split(' ');\n}\nexport const LIMIT = 3;\n",
    "src/b.js": "const n = 1;\n",
    "lib/c.js": "function load() {}\nfunction save() {}\nmodule.exports = { load, save };\n",
}
TS = {
    "src/a.ts": "export interface Options {\n  deep: boolean;\n}\nexport function walk(path: string): void {\n"
    "  path;\n}\n",
    "src/b.ts": "export const n: number = 1;\n",
    "src/view.tsx": "export const Row = () => <tr/>;\n",
}
GO = {
    "go.mod": "module example.com/shop\n\ngo 1.22\n",
    "cart/cart.go": "package cart\n\nfunc Total(n int) int {\n\treturn n\n}\n\nfunc Empty() {}\n",
    "cart/list.go": "package cart\n\nvar Size = 1\n",
    "main.go": 'package main\n\nimport "fmt"\n\nfunc main() {\n\tfmt.Println(1)\n}\n',
}
RUST = {
    "src/lib.rs": "pub mod a;\npub mod b;\n",
    "src/a.rs": "pub fn parse(text: &str) -> usize {\n    text.len()\n}\n\npub struct Basket;\n\nimpl Basket {\n"
    "    pub fn add_item(&self) {}\n    pub fn total(&self) {}\n}\n",
    "src/b.rs": "pub fn run() {}\n",
}
JAVA = {
    "src/main/java/shop/Prices.java": "package shop;\n\npublic class Prices {\n"
    "    public static int round(int cents) {\n        return cents;\n    }\n"
    "    public static int floor(int cents) {\n        return 0;\n    }\n}\n",
    "src/main/java/shop/app/Main.java": "package shop.app;\n\npublic class Main {\n    int n = 1;\n}\n",
    "src/main/java/shop/Till.java": "package shop;\n\npublic class Till {\n    int n = 1;\n}\n",
}


def without(text: str, *parts: str) -> str:
    """Give a text without parts of it, each of which it has."""
    for part in parts:
        assert part in text
        text = text.replace(part, "")
    return text


JAVA_ROUND = "    public static int round(int cents) {\n        return cents;\n    }\n"
MAIN, PRICES, TILL = (f"src/main/java/shop/{name}.java" for name in ("app/Main", "Prices", "Till"))

MAIN_WITH_PRICES = (
    JAVA[MAIN].replace("shop.app;\n", "shop.app;\nimport shop.Prices;\n").replace("= 1", "= Prices.round(1)")
)
DEEPER = TS["src/a.ts"].replace("path: string", "path: string, depth: number")
MOVED_PRICES: Files = {
    PRICES: None,
    PRICES.replace("shop/P", "shop/app/P"): JAVA[PRICES].replace("shop;", "shop.app;"),
}

TOLD = (
    Case(
        "python-import",
        PY,
        {"pkg/a.py": A_WITHOUT},
        {"app.py": "from pkg.a import parse\n\nVALUE = parse('a')\n"},
        ("removed", "parse", "app.py:1", True),
    ),
    Case(
        "python-relative-import",
        PY,
        {"pkg/a.py": A_WITHOUT},
        {"pkg/b.py": "import os\nfrom .a import join, parse\n"},
        ("removed", "parse", "pkg/b.py:2", True),
    ),
    Case(
        "python-renamed",
        PY,
        {"pkg/a.py": A_CALLED_OTHERWISE},
        {"app.py": "from pkg import a\n\na.parse('x')\n"},
        ("renamed", "parse", "app.py:3", True),
    ),
    Case(
        "python-alias",
        PY,
        {"pkg/a.py": A_WITHOUT},
        {"app.py": "import pkg.a as tool\n\ntool.parse('x')\n"},
        ("removed", "parse", "app.py:3", True),
    ),
    Case(
        "python-same-file",
        PY,
        {"pkg/a.py": A_WITHOUT},
        {"pkg/a.py": f"{A}\n\ndef last():\n    return parse('x')\n"},
        ("removed", "parse", "pkg/a.py:10", True),
    ),
    Case(
        "python-module-moved",
        PY,
        {"pkg/a.py": None, "pkg/text.py": A},
        {"app.py": "from pkg.a import join\n"},
        ("moved", "pkg/a.py", "app.py:1", True),
    ),
    Case(
        "python-module-deleted",
        PY,
        {"pkg/a.py": None},
        {"app.py": "import pkg.a\n"},
        ("removed", "pkg/a.py", "app.py:1", True),
    ),
    Case(
        "python-defined-elsewhere-too",
        {**PY, "other.py": "def parse():\n    pass\n"},
        {"pkg/a.py": A_WITHOUT},
        {"app.py": "from pkg.a import parse\n"},
        ("removed", "parse", "app.py:1", False),
    ),
    Case(
        "python-more-required",
        PY,
        {"pkg/a.py": A.replace("parse(text)", "parse(text, mode)")},
        {"app.py": "from pkg.a import parse\n\nVALUE = parse('a')\n"},
        ("parameters", "parse", "app.py:3", None),
    ),
    Case(
        "python-re-export",
        {**PY, "pkg/__init__.py": "from pkg.a import parse\n"},
        {"pkg/__init__.py": "", "pkg/a.py": A_WITHOUT},
        {"app.py": "from pkg import parse\n"},
        ("removed", "parse", "app.py:1", True),
    ),
    Case(
        "python-method",
        {**PY, "pkg/shop.py": SHOP},
        {"pkg/shop.py": SHOP.replace("add_item", "put")},
        {"app.py": "from pkg.shop import Basket\n\nbasket = Basket()\nbasket.add_item('tea')\n"},
        ("renamed", "Basket.add_item", "app.py:4", None),
    ),
    Case(
        "python-self",
        {**PY, "pkg/shop.py": SHOP},
        {"pkg/shop.py": without(SHOP, "    def total(self):\n        return 0\n")},
        {"pkg/shop.py": f"import os\n\n\n{SHOP}".replace("        pass\n", "        self.total()\n")},
        ("removed", "Basket.total", "pkg/shop.py:6", True),
    ),
    Case(
        "javascript-import",
        JS,
        {"src/a.js": "export const LIMIT = 3;\n"},
        {"src/b.js": "import { parse } from './a';\nparse('x');\n"},
        ("removed", "parse", "src/b.js:1", True),
    ),
    Case(
        "javascript-namespace",
        JS,
        {"src/a.js": JS["src/a.js"].replace("parse", "words_of")},
        {"src/b.js": "import * as text from './a.js';\ntext.parse('x');\n"},
        ("renamed", "parse", "src/b.js:2", True),
    ),
    Case(
        "javascript-require",
        JS,
        {"lib/c.js": "function load() {}\nmodule.exports = { load };\n"},
        {"src/b.js": "const { save } = require('../lib/c');\nsave();\n"},
        ("removed", "save", "src/b.js:1", True),
    ),
    Case(
        "javascript-moved",
        JS,
        {"src/a.js": None, "src/text.js": JS["src/a.js"]},
        {"src/b.js": "import { LIMIT } from './a';\n"},
        ("moved", "src/a.js", "src/b.js:1", True),
    ),
    Case(
        "typescript-type",
        TS,
        {"src/a.ts": TS["src/a.ts"].partition("}\n")[2]},
        {"src/b.ts": "import type { Options } from './a';\nexport const n: Options = { deep: true };\n"},
        ("removed", "Options", "src/b.ts:1", True),
    ),
    Case(
        "typescript-component",
        TS,
        {"src/view.tsx": "export const Line = () => <tr/>;\n"},
        {"src/b.ts": "import { Row } from './view';\nexport const n = Row;\n"},
        ("renamed", "Row", "src/b.ts:1", True),
    ),
    Case(
        "typescript-more-required",
        TS,
        {"src/a.ts": DEEPER},
        {"src/b.ts": "import { walk } from './a';\nwalk('.');\n"},
        ("parameters", "walk", "src/b.ts:2", None),
    ),
    Case(
        "go-package",
        GO,
        {"cart/cart.go": "package cart\n\nfunc Empty() {}\n"},
        {"main.go": 'package main\n\nimport "example.com/shop/cart"\n\nfunc main() {\n\tcart.Total(1)\n}\n'},
        ("removed", "Total", "main.go:6", True),
    ),
    Case(
        "go-same-package",
        GO,
        {"cart/cart.go": GO["cart/cart.go"].replace("Total", "Sum")},
        {"cart/list.go": "package cart\n\nvar Size = Total(1)\n"},
        ("renamed", "Total", "cart/list.go:3", True),
    ),
    Case(
        "go-more-required",
        GO,
        {"cart/cart.go": GO["cart/cart.go"].replace("n int", "n, tax int")},
        {"cart/list.go": "package cart\n\nvar Size = Total(1)\n"},
        ("parameters", "Total", "cart/list.go:3", None),
    ),
    Case(
        "rust-use",
        RUST,
        {"src/a.rs": RUST["src/a.rs"].replace("parse", "length")},
        {"src/b.rs": 'use crate::a::parse;\npub fn run() { parse(""); }\n'},
        ("renamed", "parse", "src/b.rs:1", True),
    ),
    Case(
        "rust-path",
        RUST,
        {"src/a.rs": RUST["src/a.rs"].partition("}\n\n")[2]},
        {"src/b.rs": 'pub fn run() {\n    crate::a::parse("");\n}\n'},
        ("removed", "parse", "src/b.rs:2", True),
    ),
    Case(
        "rust-associated",
        RUST,
        {"src/a.rs": without(RUST["src/a.rs"], "    pub fn add_item(&self) {}\n")},
        {"src/b.rs": "use crate::a::Basket;\npub fn run(basket: Basket) { basket.add_item(); }\n"},
        ("removed", "Basket.add_item", "src/b.rs:2", None),
    ),
    Case(
        "java-static",
        JAVA,
        {PRICES: without(JAVA[PRICES], JAVA_ROUND)},
        {MAIN: MAIN_WITH_PRICES},
        ("removed", "Prices.round", f"{MAIN}:5", True),
    ),
    Case(
        "java-class-moved",
        JAVA,
        MOVED_PRICES,
        {MAIN: JAVA[MAIN].replace("shop.app;\n", "shop.app;\nimport shop.Prices;\n")},
        ("moved", PRICES, f"{MAIN}:2", True),
    ),
    Case(
        "java-same-package",
        JAVA,
        {PRICES: None},
        {TILL: JAVA[TILL].replace("int n = 1", "Prices prices")},
        ("removed", "Prices", f"{TILL}:4", True),
    ),
)
