"""Is this derivative right?  Compares claimed gradients, Jacobians and Hessians with numeric differences, entry by entry.

Everything public is listed in ``__all__`` and loaded when it is first used: ``import gradcheck`` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from gradcheck.version import __version__ as __version__

if TYPE_CHECKING:
    from gradcheck.checks.gradient import check_gradient
    from gradcheck.checks.hessian import check_hessian
    from gradcheck.checks.jacobian import check_jacobian
    from gradcheck.checks.products import check_hvp, check_jvp, check_vjp
    from gradcheck.checks.stepwise import ask_and_tell
    from gradcheck.errors import (
        ConfigError,
        GradcheckError,
        OutputError,
        PointError,
        TargetError,
        UsageError,
        UserCodeError,
    )
    from gradcheck.model import (
        CheckInterrupted,
        DerivativeEstimate,
        Diagnosis,
        DirectionCheck,
        EntryCheck,
        Finding,
        GradientMismatch,
        GradientUndecided,
        Report,
        Tolerance,
        Verdict,
    )
    from gradcheck.numerics.estimators import finite_difference_gradient, two_point_gradient
    from gradcheck.options.keywords import Options
    from gradcheck.runner.decorator import derivative_of
    from gradcheck.watch.watching import not_a_derivative, watching

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
    "Options",
    "OutputError",
    "PointError",
    "Report",
    "TargetError",
    "Tolerance",
    "UsageError",
    "UserCodeError",
    "Verdict",
    "ask_and_tell",
    "check_gradient",
    "check_hessian",
    "check_hvp",
    "check_jacobian",
    "check_jvp",
    "check_vjp",
    "derivative_of",
    "finite_difference_gradient",
    "not_a_derivative",
    "two_point_gradient",
    "watching",
]

_HOMES = {
    "Options": "options.keywords",
    "ask_and_tell": "checks.stepwise",
    "check_gradient": "checks.gradient",
    "check_hessian": "checks.hessian",
    "check_hvp": "checks.products",
    "check_jacobian": "checks.jacobian",
    "check_jvp": "checks.products",
    "check_vjp": "checks.products",
    "derivative_of": "runner.decorator",
    "finite_difference_gradient": "numerics.estimators",
    "not_a_derivative": "watch.watching",
    "two_point_gradient": "numerics.estimators",
    "watching": "watch.watching",
}
"""Where the public names live that are no records (`gradcheck.model`) and no errors (`gradcheck.errors`)."""


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'gradcheck' has no attribute {name!r}")
    home = _HOMES.get(name) or ("errors" if name in vars(import_module("gradcheck.errors")) else "model")
    value = getattr(import_module(f"gradcheck.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
