"""Is this derivative right?  Compares claimed gradients, Jacobians and Hessians with numeric differences, entry by entry.

Everything public is listed in ``__all__`` and loaded when it is first used: ``import gradcheck`` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gradcheck.checks import check_gradient
    from gradcheck.errors import (
        CheckInterrupted,
        ConfigError,
        GradcheckError,
        GradientMismatch,
        GradientUndecided,
        OutputError,
        PointError,
        TargetError,
        UsageError,
        UserCodeError,
    )
    from gradcheck.matrix_checks import check_hessian, check_jacobian
    from gradcheck.model import (
        DerivativeEstimate,
        Diagnosis,
        DirectionCheck,
        EntryCheck,
        Finding,
        Report,
        Tolerance,
        Verdict,
    )
    from gradcheck.numerics.estimators import finite_difference_gradient, two_point_gradient
    from gradcheck.registry import derivative_of

__version__ = "0.1.0"

_HOMES = {
    "gradcheck.checks": ("check_gradient",),
    "gradcheck.errors": (
        "CheckInterrupted",
        "ConfigError",
        "GradcheckError",
        "GradientMismatch",
        "GradientUndecided",
        "OutputError",
        "PointError",
        "TargetError",
        "UsageError",
        "UserCodeError",
    ),
    "gradcheck.matrix_checks": ("check_hessian", "check_jacobian"),
    "gradcheck.model": (
        "DerivativeEstimate",
        "Diagnosis",
        "DirectionCheck",
        "EntryCheck",
        "Finding",
        "Report",
        "Tolerance",
        "Verdict",
    ),
    "gradcheck.numerics.estimators": ("finite_difference_gradient", "two_point_gradient"),
    "gradcheck.registry": ("derivative_of",),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "CheckInterrupted",
    "ConfigError",
    "DerivativeEstimate",
    "Diagnosis",
    "DirectionCheck",
    "EntryCheck",
    "Finding",
    "GradcheckError",
    "GradientMismatch",
    "GradientUndecided",
    "OutputError",
    "PointError",
    "Report",
    "TargetError",
    "Tolerance",
    "UsageError",
    "UserCodeError",
    "Verdict",
    "check_gradient",
    "check_hessian",
    "check_jacobian",
    "derivative_of",
    "finite_difference_gradient",
    "two_point_gradient",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'gradcheck' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
