"""Texts with many lines alike, edited at random: what makes alignment hard."""

from hypothesis import strategies as st

Text = tuple[str, ...]
"""Lines without their ends."""

LINES = st.sampled_from(["a", "b", "c", "", "}", "    x"])
BASES = st.lists(LINES, max_size=14).map(tuple)


@st.composite
def edited(draw: st.DrawFn, base: Text) -> Text:
    """The text with up to three pieces cut out and others put in."""
    lines = list(base)
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(lines)))
        count = draw(st.integers(0, min(3, len(lines) - at)))
        lines[at : at + count] = draw(st.lists(LINES, max_size=3))
    return tuple(lines)


@st.composite
def triples(draw: st.DrawFn) -> tuple[Text, Text, Text]:
    """Base, ours, theirs."""
    base = draw(BASES)
    return base, draw(edited(base)), draw(edited(base))
