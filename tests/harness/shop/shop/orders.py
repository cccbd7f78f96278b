"""A cart that was paid for."""

from dataclasses import dataclass
from datetime import date
from itertools import count

from shop.cart import Cart
from shop.customers import Address, Customer
from shop.inventory import Inventory
from shop.payments import Method, Payment, take
from shop.shipping import shipping
from shop.taxes import with_tax

_numbers = count(1)


@dataclass(frozen=True)
class Order:
    """What was bought, by whom, and what it came to."""

    number: int
    day: date
    customer: Customer
    address: Address
    amount: int
    payment: Payment


def amount_due(cart: Cart, address: Address) -> int:
    """What an order costs, with parcel and tax, in cents."""
    net = cart.total() + shipping(cart, address.country)
    return with_tax(net, address.country)


def place(cart: Cart, customer: Customer, inventory: Inventory, method: Method) -> Order:
    """Buy what is in the cart: takes it from the stock, asks for the money and empties the cart."""
    address = customer.home()
    if address is None:
        raise ValueError("the customer has no address")
    number = next(_numbers)
    amount = amount_due(cart, address)
    inventory.take_from_stock(cart)
    payment = take(f"order {number}", amount, method)
    cart.clear()
    return Order(number, date.today(), customer, address, amount, payment)
