"""How messages spell what they name: values, shapes, places, counts, near misses."""

from __future__ import annotations

from collections.abc import Iterable


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """The end of a message: the near match of `name`, or ''."""
    near = near_match(name, names)
    return f"; did you mean {near}?" if near else ""


def near_match(name: str, names: Iterable[str]) -> str | None:
    """The one of `names` that `name` may be a slip for."""
    import difflib  # of use to errors only

    return next(iter(difflib.get_close_matches(name, list(names), n=1)), None)


def short(value: object) -> str:
    """`value` on one line, cut where it is longer than a message should be."""
    text = " ".join((value if isinstance(value, str) else repr(value)).split())
    return text if len(text) <= 60 else text[:57] + "..."


def one_line(error: BaseException) -> str:
    """What an exception says, on one line."""
    return " ".join(str(error).split())


def by(shape: tuple[int, ...]) -> str:
    """A shape as it is typed: ``20x3``."""
    return "x".join(str(size) for size in shape) or "()"


def place(index: tuple[int, ...]) -> str:
    """The place of an entry in an array: ``[3, 1]``; ``[]`` in a number."""
    return f"[{', '.join(str(i) for i in index)}]"


def counted(number: int, noun: str) -> str:
    """A number and its noun: ``1 entry``, ``2,000 entries``."""
    plural = {"entry": "entries"}.get(noun, noun + "s")
    return f"{number:,} {noun if number == 1 else plural}"
