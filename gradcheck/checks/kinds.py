"""Which function checks which kind of derivative; each is loaded when it is needed: most runs are of gradients."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from gradcheck.model import Kind, Report

MODULES = {
    Kind.GRADIENT: "gradient",
    Kind.JACOBIAN: "jacobian",
    Kind.HESSIAN: "hessian",
    Kind.HVP: "products",
    Kind.JVP: "products",
    Kind.VJP: "products",
}
"""The modules of this package that hold them."""


def checker(kind: Kind) -> Callable[..., Report]:
    """``check_gradient``, ``check_jacobian``, …"""
    found: Callable[..., Report] = getattr(import_module(f"gradcheck.checks.{MODULES[kind]}"), f"check_{kind.value}")
    return found
