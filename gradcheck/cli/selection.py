"""Which checks a command line asks for: one it spells out, declared ones, or those that decorators in code declare."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gradcheck.errors import UsageError
from gradcheck.options.row import Face, at
from gradcheck.options.table import OPTIONS, PLACES
from gradcheck.runner.config import CLAIMS, DeclaredCheck, find_checks, says_where, spelled_out
from gradcheck.runner.run import Outcome
from gradcheck.runner.targets import load, load_module
from gradcheck.wording import near_match, quoted, short

if TYPE_CHECKING:
    from gradcheck.sweep.sweep import Sweep

NAMED = 12  # declared checks that a message names


def given_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options about checks that were given; one that was not is no key here."""
    given = {}
    for name, row in at(Face.CLI | Face.CONFIG, OPTIONS).items():
        value = options[name]
        if value not in (None, ()) and (value is not False or row.default is not False):
            given[name] = row.declared(value, row.flag) if row.repeatable else value
    return given


def select(targets: Sequence[str], given: dict[str, Any], outcome: Outcome) -> list[DeclaredCheck]:
    """The checks that the command line asks for; modules of a package that cannot be imported go to `outcome`."""
    claimed = any(key in given for key in (*CLAIMS, "value_and_grad"))
    if claimed and len(targets) > 1:
        raise UsageError(f"a derivative belongs to one TARGET, not to {' and '.join(map(short, targets))}; name one")
    if claimed and targets and ":" in targets[0]:
        return [_typed_check(targets[0], given)]
    declared = find_checks()
    if not targets:
        if claimed:
            raise UsageError(
                "there is a derivative but no TARGET; say first which function it belongs to, as in module:f"
            )
        if not declared:
            raise UsageError(
                "nothing to check: no TARGET, and no checks are declared in pyproject.toml or setup.cfg here or above; "
                "try gradcheck module:f --grad module:g --dim 100, or gradcheck --help"
            )
        return [_overridden(check, given) for check in declared]
    chosen: dict[tuple[str, str], DeclaredCheck] = {}  # by place and name: what is named twice is checked once
    for target in targets:
        named = [check for check in declared if target in (check.name, check.target)]
        if not named and claimed:
            return [_typed_check(target, given)]  # not of the form of a target: loading it says so
        for check in named or _discovered(target, declared, outcome):
            chosen[check.source, check.name] = check
    return [_overridden(check, given) for check in chosen.values()]


def swept(package: str, given: dict[str, Any], outcome: Outcome) -> Sweep:
    """What pairs up by name below a package; modules that cannot be imported go to `outcome`."""
    from gradcheck.sweep.sweep import sweep

    if other := [key for key in (*CLAIMS, "value_and_grad", *PLACES) if key in given and key != "dim"]:
        raise UsageError(f"--sweep finds derivatives and points itself; remove --{other[0].replace('_', '-')}")
    found = sweep(package, load_module, [given["dim"]] if "dim" in given else [])
    for problem in found.problems:
        outcome.complain(package, problem)
    own = {key: value for key, value in given.items() if key != "dim"}
    return dataclasses.replace(found, checks=tuple(_overridden(check, own) for check in found.checks))


def _typed_check(target: str, given: dict[str, Any]) -> DeclaredCheck:
    if given.get("grad") and given.get("value_and_grad"):
        raise UsageError("--value-and-grad says that TARGET returns the gradient, too; remove it or --grad")
    if not says_where(given):
        raise UsageError("nowhere to check; add --dim N, --shape 20x3, --point P or --var NAME=P")
    return spelled_out(target, target, given)


def _overridden(check: DeclaredCheck, given: dict[str, Any]) -> DeclaredCheck:
    # Another place, or another claim, replaces what was declared; it does not add to it.
    options, derivatives = dict(check.options), check.derivatives
    if given.keys() & {*PLACES}:
        options = {key: value for key, value in options.items() if key not in PLACES}
    new = spelled_out(check.name, check.target, given)
    if new.claims:
        options.pop("value_and_grad", None)
        derivatives = new.derivatives
    return dataclasses.replace(check, derivatives=derivatives, options={**options, **new.options})


def _discovered(target: str, declared: Sequence[DeclaredCheck], outcome: Outcome) -> list[DeclaredCheck]:
    """The pairs of ``@gradcheck.derivative_of`` below a package, or those that concern one callable."""
    from gradcheck.runner.decorator import discover

    value: object = None
    spec, of, _ = target.partition(" of ")  # the name of a check, where a derivative serves several functions
    module = target
    if ":" in target or target.endswith(".py"):
        value = load(spec).value
        module = getattr(value, "__module__", None) or target.partition(":")[0]
    elif declared and not _is_module(target):
        raise UsageError(_not_declared(target, declared))
    found = discover(module, load_module)
    if value is None:
        for problem in found.problems:
            outcome.complain(target, problem)
        if not found.checks and not found.problems:
            raise UsageError(
                f"{target!r} declares no derivatives; decorate one with @gradcheck.derivative_of(f, dim=100), "
                f"or name a function in it, as in {target}:f --grad {target}:g"
            )
        return list(found.checks)
    checks = [check for check in found.checks if value in (check.target, *check.claims.values())]
    if of:
        checks = [check for check in checks if check.name == target]
    if not checks:
        raise UsageError(f"no derivative of {target!r} to check; name it, as in --grad module:g (or --hess, --jac, …)")
    return checks


def _is_module(name: str) -> bool:
    """Whether there is a module of that name, or a file or folder that it may be a slip for."""
    from importlib.util import find_spec

    if os.path.exists(name) or os.path.exists(f"{name}.py"):
        return True
    top = name.partition(".")[0]
    return os.path.exists(top) or os.path.exists(f"{top}.py") or (top.isidentifier() and find_spec(top) is not None)


def _not_declared(name: str, declared: Sequence[DeclaredCheck]) -> str:
    names = [check.name for check in declared]
    message = f"no check named {quoted(name)} is declared"
    if near := near_match(name, names):
        return f"{message}; did you mean {near!r}?"
    more = f" and {len(names) - NAMED} more, see gradcheck --list" if len(names) > NAMED else ""
    return f"{message}, and there is no module of that name; declared are {', '.join(map(short, names[:NAMED]))}{more}"
