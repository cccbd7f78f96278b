"""Orders as a spreadsheet, for the bookkeeper."""

import csv
from collections.abc import Iterable
from typing import TextIO

from shop.orders import Order
from shop.prices import show

COLUMNS = [
    "number",
    "day",
    "customer",
    "country",
    "amount",
]


def export(orders: Iterable[Order], out: TextIO) -> int:
    """Write one row for each order, and say how many there were."""
    writer = csv.writer(out, delimiter=";")
    writer.writerow(COLUMNS)
    rows = 0
    for order in orders:
        writer.writerow(row(order))
        rows += 1
    return rows


def row(order: Order) -> list[str]:
    """The cells of an order."""
    return [
        str(order.number),
        order.day.isoformat(),
        order.customer.email,
        order.address.country,
        show(order.amount),
    ]
