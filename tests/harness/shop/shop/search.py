"""The search box."""

from shop.catalog import Catalog, Product

STOP_WORDS = {"a", "and", "for", "of", "the", "with"}


def words(text: str) -> set[str]:
    """The words that count, in lower case."""
    return set(text.lower().split()) - STOP_WORDS


def score(product: Product, wanted: set[str]) -> int:
    """How well a product fits: words of its name count twice."""
    name = words(product.name)
    category = words(product.category)
    return 2 * len(name & wanted) + len(category & wanted)


def search(catalog: Catalog, text: str, limit: int = 20) -> list[Product]:
    """The products that fit, the best first."""
    wanted = words(text)
    scored = [(score(product, wanted), product) for product in catalog.products.values()]
    fitting = [(points, product) for points, product in scored if points]
    fitting.sort(key=lambda found: (-found[0], found[1].name))
    return [product for _, product in fitting[:limit]]
