"""The cart counts right."""

from shop.cart import Cart
from shop.catalog import Product

TEA = Product("t-1", "Green tea", 450, weight=100, category="tea")
MUG = Product("m-1", "Mug", 900, weight=350, category="kitchen")


def test_total_counts_every_piece() -> None:
    cart = Cart()
    cart.add(TEA, 2)
    cart.add(MUG)
    assert cart.total() == 1800


def test_change_to_zero_takes_out() -> None:
    cart = Cart()
    cart.add(TEA)
    cart.change(TEA, 0)
    assert cart.is_empty()


def test_weight_is_in_grams() -> None:
    cart = Cart()
    cart.add(TEA, 3)
    cart.add(MUG)
    assert cart.weight() == 650
