"""Taking and returning money."""

from dataclasses import dataclass
from enum import StrEnum


class Method(StrEnum):
    """How somebody pays."""

    CARD = "card"
    INVOICE = "invoice"
    TRANSFER = "transfer"


class RefusedError(Exception):
    """The bank said no."""


@dataclass(frozen=True)
class Payment:
    """Money that came in; a negative amount went back."""

    reference: str
    amount: int
    method: Method


LIMITS = {
    Method.CARD: 500_000,
    Method.INVOICE: 20_000,
    Method.TRANSFER: 2_000_000,
}


def take(reference: str, amount: int, method: Method) -> Payment:
    """Ask for money."""
    if amount <= 0:
        raise ValueError("amount must be positive")
    if amount > LIMITS[method]:
        raise RefusedError(f"{method} is limited to {LIMITS[method]} cents")
    return Payment(reference, amount, method)


def refund(payment: Payment, amount: int | None = None) -> Payment:
    """Give money back, all of it unless told otherwise."""
    back = payment.amount if amount is None else amount
    if back > payment.amount:
        raise ValueError("cannot return more than was paid")
    return Payment(payment.reference, -back, payment.method)
