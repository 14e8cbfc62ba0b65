"""How messages spell what they name: values, shapes, places, counts, near misses."""

from __future__ import annotations

from collections.abc import Callable, Iterable

LONGEST = 500  # characters of what an exception says


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """The end of a message: the near match of `name`, or ''."""
    near = near_match(name, names)
    return f"; did you mean {near}?" if near else ""


def near_match(name: str, names: Iterable[str]) -> str | None:
    """The one of `names` that `name` may be a slip for."""
    import difflib  # of use to errors only

    return next(iter(difflib.get_close_matches(name, [other for other in names if other != name], n=1)), None)


def short(value: object, most: int = 60) -> str:
    """`value` on one line, cut where it is longer than a message should be."""
    text = " ".join((value if isinstance(value, str) else _shown(repr, value)).split())
    return text if len(text) <= most else text[: most - 3] + "..."


def quoted(value: object, most: int = 60) -> str:
    """The same as Python writes it, so that text is told from what it says: ``'2'``."""
    return short(_shown(repr, value), most)


def one_line(error: BaseException) -> str:
    """What an exception says, on one line, cut where it is longer than anybody reads; '' if it cannot say it."""
    text = " ".join(_shown(str, error).split())
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."


def named(error: BaseException) -> str:
    """An exception by its type, and what it says on its first line: ``ValueError: A must be square``."""
    first = (_shown(str, error).splitlines() or [""])[0]
    text = first if len(first) <= LONGEST else first[: LONGEST - 3] + "..."
    return f"{type(error).__name__}: {text}".rstrip(": ")


def _shown(show: Callable[[object], str], thing: object) -> str:
    """What `str` or `repr` makes of a thing of the user's, which may fail in saying what it is."""
    try:
        return show(thing)
    except KeyboardInterrupt:
        raise
    except BaseException:
        return "" if show is str else f"<{type(thing).__name__}>"


def by(shape: tuple[int, ...]) -> str:
    """A shape as it is typed: ``20x3``."""
    return "x".join(str(size) for size in shape) or "()"


def place(index: tuple[int, ...]) -> str:
    """The place of an entry in an array: ``[3, 1]``; ``[]`` in a number."""
    return f"[{', '.join(str(i) for i in index)}]"


def about(value: float) -> str:
    """A number to one digit, as it is typed: ``6e-6``."""
    return f"{value:.1g}".replace("e-0", "e-").replace("e+0", "e").replace("e+", "e")


def counted(number: int, noun: str) -> str:
    """A number and its noun: ``1 entry``, ``2,000 entries``."""
    plural = noun.removesuffix("entry") + "entries" if noun.endswith("entry") else noun + "s"
    return f"{number:,} {noun if number == 1 else plural}"
