"""Loads the whole package.  pytester's runs within this process forget what they import; a module that they forget stays an
attribute of its package, and what is patched or compared later would be another one than the one in use."""

from __future__ import annotations

import pkgutil
from importlib import import_module

import gradcheck


def load() -> None:
    """Import every module, but for the one that would start the command line."""
    for module in pkgutil.walk_packages(gradcheck.__path__, "gradcheck."):
        if not module.name.endswith(".__main__"):
            import_module(module.name)
