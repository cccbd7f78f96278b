"""What a customer is about to buy."""

from dataclasses import dataclass, field

from shop.catalog import Product


@dataclass
class Cart:
    """Products with how many of each, in the order in which they were added."""

    lines: dict[Product, int] = field(default_factory=dict)

    def total(self) -> int:
        """What the customer pays, in cents."""
        return sum(product.price * count for product, count in self.lines.items())

    def add(self, product: Product, count: int = 1) -> None:
        """Put more of a product into the cart."""
        if count < 1:
            raise ValueError("count must be at least 1")
        self.lines[product] = self.lines.get(product, 0) + count

    def remove(self, product: Product) -> None:
        """Take a product out, however many there are."""
        self.lines.pop(product, None)

    def change(self, product: Product, count: int) -> None:
        """Set how many of a product there are; zero takes it out."""
        if count:
            self.lines[product] = count
        else:
            self.remove(product)

    def weight(self) -> int:
        """Grams of everything together."""
        return sum(product.weight * count for product, count in self.lines.items())

    def is_empty(self) -> bool:
        """Whether there is nothing to pay for."""
        return not self.lines

    def clear(self) -> None:
        """Start over."""
        self.lines.clear()
