"""What is on the shelves."""

from collections import Counter

from shop.cart import Cart


class OutOfStockError(ValueError):
    """There is less of a product than somebody wants."""


class Inventory:
    """How many of each product there are, by its number."""

    def __init__(self) -> None:
        self._stock: Counter[str] = Counter()

    def count(self, number: str) -> int:
        """How many are left."""
        return self._stock[number]

    def restock(self, number: str, count: int) -> None:
        """Changes the stock: a delivery came in."""
        self._stock[number] += count

    def take_from_stock(self, cart: Cart) -> None:
        """Changes the stock: everything in the cart, or nothing."""
        for product, count in cart.lines.items():
            if self._stock[product.number] < count:
                raise OutOfStockError(product.number)
        for product, count in cart.lines.items():
            self._stock[product.number] -= count

    def running_low(self, limit: int = 5) -> list[str]:
        """The products to order soon."""
        return sorted(number for number, count in self._stock.items() if count < limit)
