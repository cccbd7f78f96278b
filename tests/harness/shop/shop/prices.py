"""Amounts of money: whole cents, and how they are shown."""

from decimal import ROUND_HALF_UP, Decimal

SYMBOLS = {
    "EUR": "€",
    "GBP": "£",
    "USD": "$",
}
CENTS = 100


def show(cents: int, currency: str = "EUR") -> str:
    """An amount as customers read it."""
    units, rest = divmod(abs(cents), CENTS)
    sign = "-" if cents < 0 else ""
    return f"{sign}{SYMBOLS[currency]}{units}.{rest:02}"


def parse(text: str) -> int:
    """An amount that somebody typed."""
    amount = Decimal(text.strip().replace(",", "."))
    return round_cents(amount * CENTS)


def round_cents(amount: Decimal) -> int:
    """Whole cents, halves up."""
    return int(amount.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def percentage(cents: int, percent: Decimal) -> int:
    """So many percent of an amount."""
    return round_cents(cents * percent / 100)


def split(cents: int, parts: int) -> list[int]:
    """An amount in equal parts; the first ones carry the cents that are left over."""
    each, left = divmod(cents, parts)
    return [each + 1] * left + [each] * (parts - left)
