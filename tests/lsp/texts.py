"""A file of twenty lines, and its variants."""

TEXT = "".join(f"line {number}\n" for number in range(1, 21))


def changed(number: int, new: str) -> str:
    """The text with another line in place of one."""
    return TEXT.replace(f"line {number}\n", new)
