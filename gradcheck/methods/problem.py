"""What every method is given: the problem, and who watches."""

from __future__ import annotations

from collections.abc import Callable

Tick = Callable[[str, int, int, str], None]
"""Called as (phase, done, total, detail)."""
