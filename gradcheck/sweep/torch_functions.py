"""Subclasses of `torch.autograd.Function` below a package: backward against forward, at tensors of a usual shape."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from gradcheck.evaluation.attempts import attempt
from gradcheck.evaluation.sources import describe
from gradcheck.model import Kind
from gradcheck.runner.config import DeclaredCheck
from gradcheck.sweep.holders import required
from gradcheck.sweep.places import HIGH, LOW
from gradcheck.watch.adapters.torch_autograd import compared
from gradcheck.watch.pairs import Visit

SHAPE = (2, 3)


def is_torch_function(kind: type) -> bool:
    """Whether a class is one, where torch has been imported by somebody."""
    torch: Any = sys.modules.get("torch")
    return torch is not None and issubclass(kind, torch.autograd.Function)


def check_of(kind: Any, name: str) -> DeclaredCheck | str:
    """The check of such a class, all of whose arguments are tensors; or why it cannot be called."""
    torch: Any = sys.modules["torch"]
    words = required(kind.forward)
    count = len(words) if "setup_context" in vars(kind) else len(words) - 1  # without the context
    x = LOW + (HIGH - LOW) * np.random.default_rng(0).random(count * int(np.prod(SHAPE)))
    given = tuple(torch.as_tensor(part).reshape(SHAPE).requires_grad_() for part in np.split(x, max(count, 1)))
    error = attempt(kind.apply, *given).error
    if count < 1 or error:
        return f"with {count} tensors of shape {SHAPE} it raised {error}" if error else "it takes no tensor"
    f, claim, options = compared(torch, kind, kind.forward, kind.backward, list(range(count)), Visit(x, given, {}))
    where = describe(kind.backward)
    return DeclaredCheck(
        name=f"{name}, backward",
        target=f,
        derivatives={Kind.GRADIENT: claim},
        options={"point": x, **options},
        file=where.file or "",
        section=name,
        line=where.line,
    )
