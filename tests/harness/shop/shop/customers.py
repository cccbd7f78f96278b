"""People and their addresses."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Address:
    """Where a parcel goes."""

    street: str
    city: str
    postcode: str
    country: str = "NL"

    def lines(self) -> list[str]:
        """The address as it stands on the parcel."""
        return [self.street, f"{self.postcode} {self.city}", self.country]


@dataclass
class Customer:
    """Somebody who has an account."""

    email: str
    name: str
    addresses: list[Address] = field(default_factory=list)
    newsletter: bool = False

    def home(self) -> Address | None:
        """The first address, if there is one."""
        return self.addresses[0] if self.addresses else None

    def move(self, address: Address) -> None:
        """Make an address the first one."""
        if address in self.addresses:
            self.addresses.remove(address)
        self.addresses.insert(0, address)

    def greeting(self) -> str:
        """How a mail to the customer begins."""
        return f"Dear {self.name},"
