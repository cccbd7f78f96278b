"""The sample repository: a small web shop that several people and agents work on in worktrees.

It shows each thing that the sidecar has to say once; `sample_truth.json` is what `sidecar overlaps --json` says.
`python -m tests.harness.sample DIR` builds it in DIR, new or empty, and prints where things are as one JSON object.
"""

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.harness.repository import Content, add_worktree, commit, git, init, write

TRUTH_FILE = Path(__file__).with_name("sample_truth.json")
_SHOP = Path(__file__).with_name("shop")
_LATER = {"shop/csv_export.py": "Export orders for the bookkeeper", "tests/test_cart.py": "Test the cart"}


@dataclass(frozen=True)
class Sample:
    """Where things are: `main` has trunk checked out, `worktrees` are the linked ones by name.

    `showcase` is the worktree to open first; `showcase_file` is a file in it with a conflict on its first screen.
    """

    root: Path
    main: Path
    worktrees: Mapping[str, Path]
    showcase: Path
    showcase_file: Path


def build(root: Path) -> Sample:
    """Build it in a directory that is new or empty (else FileExistsError); each time with the same commit ids."""
    if root.exists() and any(root.iterdir()):
        raise FileExistsError(f"{root} is not empty")
    main = _trunk(root.absolute() / "shop")
    worktrees = {
        task.__name__.strip("_").replace("_", "-"): task
        for task in (_cleanup, _discounts, _free_shipping, _notifications, _search_box, _tax_rules, _wish_lists)
    }
    paths = {name: add_worktree(main, name) for name in worktrees}
    for name, work in worktrees.items():
        work(paths[name])
    _trunk_moves_on(main)
    return Sample(root.absolute(), main, paths, paths["discounts"], paths["discounts"] / "shop" / "cart.py")


def truth() -> dict[str, Any]:
    """What `sidecar overlaps --json` prints in the sample, exactly."""
    table: dict[str, Any] = json.loads(TRUTH_FILE.read_text())
    return table


def _trunk(main: Path) -> Path:
    init(main)
    files: dict[str, Content] = {
        path.relative_to(_SHOP).as_posix(): path.read_bytes()
        for path in sorted(_SHOP.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }
    commit(main, {path: content for path, content in files.items() if path not in _LATER}, "Begin the shop")
    for path, message in _LATER.items():
        commit(main, {path: files[path]}, message)
    return main


def _trunk_moves_on(main: Path) -> None:
    _edit(main, "shop/shipping.py", "FREE_FROM = 5000", "FREE_FROM = 7500")
    commit(main, message="Ship for free from 75 euros on")
    _edit(main, "shop/taxes.py", '    "DE": Decimal(19),\n', '    "CH": Decimal("8.1"),\n    "DE": Decimal(19),\n')
    commit(main, message="Sell to Switzerland")


def _cleanup(worktree: Path) -> None:
    commit(worktree, {"shop/csv_export.py": None}, "Remove the export that nobody uses")


def _discounts(worktree: Path) -> None:
    _edit(
        worktree,
        "shop/cart.py",
        "    lines: dict[Product, int] = field(default_factory=dict)\n",
        "    lines: dict[Product, int] = field(default_factory=dict)\n    discount: int = 0\n",
    )
    _edit(
        worktree,
        "shop/cart.py",
        "        return sum(product.price * count for product, count in self.lines.items())\n",
        "        subtotal = sum(product.price * count for product, count in self.lines.items())\n"
        "        return max(subtotal - self.discount, 0)\n",
    )
    commit(worktree, {"shop/discounts.py": _DISCOUNTS}, "Take a discount off the cart")
    _edit(
        worktree,
        "shop/orders.py",
        "    net = cart.total() + shipping(cart, address.country)\n",
        "    net = cart.total() + (0 if cart.discount else shipping(cart, address.country))\n",
    )
    _edit(worktree, "shop/orders.py", "    payment: Payment\n", "    payment: Payment\n    discount: int = 0\n")
    _edit(worktree, "shop/orders.py", "address, amount, payment)", "address, amount, payment, cart.discount)")
    _edit(
        worktree,
        "shop/mail.py",
        '            f"The amount of {show(order.amount)} has been paid.",\n',
        '            f"The amount of {show(order.amount)} has been paid.",\n'
        '            f"You saved {show(order.discount)}.",\n',
    )
    _edit(
        worktree,
        "shop/prices.py",
        '    """An amount in equal parts; the first ones carry the cents that are left over."""\n',
        '    """An amount in equal parts; the first ones carry the cents that are left over, of a discount too."""\n',
    )
    commit(worktree, message="Show the discount to the customer")
    _edit(worktree, "README.md", "recieve", "receive")
    commit(worktree, message="Fix a typo")
    write(worktree, {"shop/validation.py": _CODE_VALIDATION})


def _free_shipping(worktree: Path) -> None:
    _edit(worktree, "shop/shipping.py", "FREE_FROM = 5000", 'FREE_FROM = {"NL": 5000, "BE": 6000}')
    _edit(
        worktree,
        "shop/shipping.py",
        "    if cart.total() >= FREE_FROM:\n",
        "    if cart.total() >= FREE_FROM.get(country, 10000):\n",
    )
    commit(worktree, message="Let each country have its own limit")
    _edit(worktree, "shop/csv_export.py", '    "country",\n', '    "country",\n    "shipping",\n')
    _edit(
        worktree,
        "shop/csv_export.py",
        "        order.address.country,\n",
        "        order.address.country,\n        show(order.shipping),\n",
    )
    git(worktree, "add", "shop/csv_export.py")
    _edit(
        worktree,
        "shop/orders.py",
        "    net = cart.total() + shipping(cart, address.country)\n",
        "    parcel = shipping(cart, address.country)\n    net = cart.total() + parcel\n",
    )


def _notifications(worktree: Path) -> None:
    git(worktree, "mv", "shop/mail.py", "shop/notifications.py")
    _edit(
        worktree,
        "shop/notifications.py",
        '"""Confirmations and reminders."""',
        '"""Confirmations and reminders, by mail or phone."""',
    )
    _edit(worktree, "shop/notifications.py", 'SENDER = "shop@', 'SENDER = "hello@')
    commit(worktree, message="Rename mail to notifications")


def _search_box(worktree: Path) -> None:
    _edit(worktree, "shop/search.py", '"of", "the", "with"', '"of", "or", "the", "to", "with"')
    commit(worktree, message="Ignore more small words")
    _edit(worktree, "shop/search.py", "limit: int = 20", "limit: int = 50")


def _tax_rules(worktree: Path) -> None:
    _edit(
        worktree,
        "shop/cart.py",
        "    lines: dict[Product, int] = field(default_factory=dict)\n",
        '    lines: dict[Product, int] = field(default_factory=dict)\n    country: str = "NL"\n',
    )
    _edit(
        worktree,
        "shop/cart.py",
        "        return sum(product.price * count for product, count in self.lines.items())\n",
        "        return sum(with_tax(product.price * count, self.country) for product, count in self.lines.items())\n",
    )
    _edit(
        worktree,
        "shop/cart.py",
        "from shop.catalog import Product\n",
        "from shop.catalog import Product\nfrom shop.taxes import with_tax\n",
    )
    commit(worktree, message="Show the cart with tax")
    _edit(
        worktree,
        "shop/taxes.py",
        "    return STANDARD.get(country, FREE)\n",
        "    if reduced:\n        return REDUCED.get(country, FREE)\n    return STANDARD.get(country, FREE)\n",
    )
    _edit(worktree, "shop/taxes.py", "def rate(country: str)", "def rate(country: str, reduced: bool = False)")
    _edit(
        worktree,
        "shop/taxes.py",
        "FREE = Decimal(0)\n",
        'FREE = Decimal(0)\nREDUCED = {\n    "DE": Decimal(7),\n    "NL": Decimal(9),\n}\n',
    )
    _edit(worktree, "shop/prices.py", '    "EUR": "€",\n', '    "DKK": "kr",\n    "EUR": "€",\n')
    commit(worktree, message="Know the reduced rates")
    _edit(worktree, "README.md", "recieve", "receive")
    commit(worktree, message="Spell receive right")


def _wish_lists(worktree: Path) -> None:
    _edit(
        worktree,
        "shop/cart.py",
        '        """Start over."""\n        self.lines.clear()\n',
        '        """Start over."""\n        self.lines.clear()\n\n'
        "    def take_over(self, wishes: list[Product]) -> None:\n"
        '        """Put everything of a wish list into the cart."""\n'
        "        for product in wishes:\n            self.add(product)\n",
    )
    commit(worktree, {"shop/wish_lists.py": _WISH_LISTS}, "Keep wish lists")
    write(worktree, {"shop/validation.py": _NAME_VALIDATION})


def _edit(worktree: Path, path: str, old: str, new: str) -> None:
    """Replace a text that is there exactly once."""
    file = worktree / path
    before, found, after = file.read_text(encoding="utf-8").partition(old)
    if not found or old in after:
        raise ValueError(f"{path} must have this once: {old!r}")
    write(worktree, {path: before + new + after})


_DISCOUNTS = '''"""Codes that take something off the price."""

from shop.cart import Cart
from shop.validation import valid_code

CODES = {
    "SPRING": 500,
    "WELCOME": 1000,
}


class UnknownCodeError(LookupError):
    """Nobody gave out this code."""


def apply(cart: Cart, code: str) -> None:
    """Take off what the code is worth; a second code replaces the first."""
    if not valid_code(code) or code not in CODES:
        raise UnknownCodeError(code)
    cart.discount = CODES[code]
'''

_CODE_VALIDATION = '''"""Checks of what customers type."""

import re

CODE = re.compile(r"[A-Z]{4,12}")


def valid_code(text: str) -> bool:
    """Whether this could be a discount code."""
    return CODE.fullmatch(text) is not None
'''

_NAME_VALIDATION = '''"""Checks of what customers type."""

LONGEST_NAME = 60


def valid_name(text: str) -> bool:
    """Whether a wish list can be called like this."""
    return 0 < len(text.strip()) <= LONGEST_NAME
'''

_WISH_LISTS = '''"""What customers would like to have one day."""

from dataclasses import dataclass, field

from shop.catalog import Product
from shop.validation import valid_name


@dataclass
class WishList:
    """Products under a name of the customer's choice."""

    name: str
    products: list[Product] = field(default_factory=list)

    def rename(self, name: str) -> None:
        """Call it something else."""
        if not valid_name(name):
            raise ValueError("a name has 1 to 60 characters")
        self.name = name

    def add(self, product: Product) -> None:
        """Wish for something, once."""
        if product not in self.products:
            self.products.append(product)
'''


def _main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print("usage: python -m tests.harness.sample DIR", file=sys.stderr)
        return 1
    try:
        sample = build(Path(arguments[0]))
    except FileExistsError as failure:
        print(failure, file=sys.stderr)
        return 1
    print(json.dumps(asdict(sample), default=str, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
