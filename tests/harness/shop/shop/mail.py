"""Confirmations and reminders."""

from email.message import EmailMessage

from shop.orders import Order
from shop.prices import show

SENDER = "shop@example.com"


def confirmation(order: Order) -> EmailMessage:
    """Tells the customer that the order came in."""
    return _message(
        order,
        f"Your order {order.number}",
        [
            "Thank you for your order.",
            f"The amount of {show(order.amount)} has been paid.",
            "We send it to:",
            *order.address.lines(),
        ],
    )


def dispatched(order: Order, days: int) -> EmailMessage:
    """Tells the customer that the parcel is on its way."""
    return _message(
        order,
        f"Your order {order.number} is on its way",
        [f"It should arrive in {days} days."],
    )


def reminder(order: Order) -> EmailMessage:
    """Asks for a review, some days later."""
    return _message(
        order,
        "How do you like it?",
        ["We would be glad to hear what you think of it."],
    )


def _message(order: Order, subject: str, lines: list[str]) -> EmailMessage:
    message = EmailMessage()
    message["From"] = SENDER
    message["To"] = order.customer.email
    message["Subject"] = subject
    message.set_content("\n".join([order.customer.greeting(), "", *lines]))
    return message
