"""Products, and how to find them."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Product:
    """Something that can be bought; the price is in cents, without tax."""

    number: str
    name: str
    price: int
    weight: int = 0
    category: str = "other"


class UnknownProductError(LookupError):
    """No product has this number."""


@dataclass
class Catalog:
    """All products by their number."""

    products: dict[str, Product] = field(default_factory=dict)

    def add(self, product: Product) -> None:
        """Put a product on sale, or replace the one with its number."""
        self.products[product.number] = product

    def find(self, number: str) -> Product:
        """The product with this number."""
        try:
            return self.products[number]
        except KeyError:
            raise UnknownProductError(number) from None

    def in_category(self, category: str) -> list[Product]:
        """The products of a category, cheapest first."""
        found = [product for product in self.products.values() if product.category == category]
        return sorted(found, key=lambda product: product.price)

    def categories(self) -> set[str]:
        """Every category that has a product."""
        return {product.category for product in self.products.values()}
