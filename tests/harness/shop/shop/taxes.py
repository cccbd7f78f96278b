"""Value added tax by country."""

from decimal import Decimal

from shop.prices import percentage

STANDARD = {
    "AT": Decimal(20),
    "DE": Decimal(19),
    "DK": Decimal(25),
    "ES": Decimal(21),
    "FR": Decimal(20),
    "IE": Decimal(23),
    "IT": Decimal(22),
    "NL": Decimal(21),
    "PL": Decimal(23),
    "SE": Decimal(25),
}
FREE = Decimal(0)


def rate(country: str) -> Decimal:
    """Percent of tax in a country; outside of the table there is none."""
    return STANDARD.get(country, FREE)


def tax(net: int, country: str) -> int:
    """The tax on an amount, in cents."""
    return percentage(net, rate(country))


def with_tax(net: int, country: str) -> int:
    """An amount together with its tax."""
    return net + tax(net, country)
