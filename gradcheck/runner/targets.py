"""From ``module:attr``, ``module:object.attr`` or ``path/to/file.py:attr`` to a callable; every failure is named."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
import sys
import types
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gradcheck.errors import TargetError, UserCodeError
from gradcheck.evaluation.sources import describe
from gradcheck.records import record
from gradcheck.wording import one_line, quoted, short

if TYPE_CHECKING:
    from gradcheck.model import Target

LONGEST = 200  # characters of a target that a message shows
SEARCHED = 6  # folders that a message names
_DEPENDENCIES = ("click", "llvmlite", "numba", "numpy", "pytest", "rich", "scipy")


@record
class Loaded:
    """A target that was found: as it was written, the callable itself, and where that is defined."""

    spec: str
    value: Callable[..., Any]
    target: Target


def load(
    spec: str | Callable[..., Any],
    *,
    role: str = "target",
    factory: bool = False,
    folder: str | os.PathLike[str] | None = None,
) -> Loaded:
    """Import what `spec` names and return the callable.

    spec: ``module:attr``, ``module:object.attr`` or ``path/to/file.py:attr``; a callable stands for itself.
    role: what the callable is for, such as 'target' or '--grad'; opens every message.
    factory: call what was found once, without arguments, and take what it returns.
    folder: where paths start and modules are looked for first; the working directory by default.

    A file is run once, however many targets it holds; the modules beside it can be imported.
    Raises `TargetError`, whose ``__cause__`` is the exception of the user's module if that raised, and `UserCodeError`
    if the factory raised.
    """
    if isinstance(spec, str):
        module, value = _find(spec, role, folder)
        file = getattr(module, "__file__", None)
    else:
        value, file = spec, None
        spec = describe(value).name
    if factory:
        value = _call_factory(value, spec, role)
    elif isinstance(value, types.FunctionType) and "self" in value.__code__.co_varnames[:1] and _of_class(value):
        owner, name = value.__qualname__.split(".")[-2:]
        place = spec.rpartition(":")[0]
        remedy = f"make one there, as in {owner.lower()} = {owner}(), and name {place}:{owner.lower()}.{name}"
        raise TargetError(f"{role} {spec!r} is a method without its object; {remedy}")
    if not callable(value):
        hint = f"; name something in it, as in {value.__name__}:NAME" if isinstance(value, types.ModuleType) else ""
        made = "returned" if factory else "is"
        raise TargetError(f"{role} {spec!r} {made} {_a(value)}, not a callable{hint}")
    target = describe(value, spec)
    return Loaded(spec=spec, value=value, target=target if target.file else replace(target, file=file))


def _of_class(function: types.FunctionType) -> bool:
    """Whether a function is written in the body of a class."""
    return "." in function.__qualname__ and not function.__qualname__.split(".")[-2].startswith("<")


def load_object(spec: str, *, role: str = "target", folder: str | os.PathLike[str] | None = None) -> Any:
    """Import what `spec` names and return it, callable or not.  Raises `TargetError`."""
    return _find(spec, role, folder)[1]


def load_holder(spec: str, *, role: str, folder: str | os.PathLike[str] | None = None) -> tuple[Any, str]:
    """What has the attribute that `spec` names, a module or something in it, and the name of that.  Raises `TargetError`."""
    module, _ = _find(spec, role, folder)
    path, _, name = spec.rpartition(":")[2].rpartition(".")
    return (load_object(f"{spec.rpartition(':')[0]}:{path}", role=role, folder=folder) if path else module), name


def load_module(name: str, *, role: str = "target", folder: str | os.PathLike[str] | None = None) -> types.ModuleType:
    """Import a module by its dotted name, looking in `folder` (the working directory by default) first.

    Raises `TargetError`: with the folders searched if there is no such module, else with the module's own exception
    as ``__cause__``.
    """
    home = os.path.realpath(folder or ".")
    with _first_on_path(home):
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            # Only a name on the way to `name` was not found by us; any other was not found by the user's module.
            if f"{name}.".startswith(f"{error.name}."):
                raise TargetError(f"{role}: {_not_found(error, home)}") from None
            raise _import_failure(name, error, role) from _as_users(error)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            raise _import_failure(name, error, role) from _as_users(error)


def _find(spec: str, role: str, folder: str | os.PathLike[str] | None) -> tuple[types.ModuleType, Any]:
    place, _, attributes = spec.rpartition(":")
    if not place or "\0" in place or not all(part.isidentifier() for part in attributes.split(".")):
        hint = _form_hint(spec, folder)
        raise TargetError(
            f"{role} {quoted(spec, LONGEST)} is not of the form module:attr or path/to/file.py:attr{hint}"
        )
    if place.endswith(".ipynb"):
        remedy = (
            f"save the functions in a .py file (jupyter nbconvert --to script {place}), or call check_gradient in it"
        )
        raise TargetError(f"{role} {spec!r} is in a notebook, which is not read; {remedy}")
    if place.endswith(".py") or "/" in place or os.sep in place:
        module = _load_file(os.path.join(folder or ".", os.path.expanduser(place)), role)
    elif all(part.isidentifier() for part in place.split(".")):
        module = load_module(place, role=role, folder=folder)
    else:
        where = quoted(place, LONGEST)
        message = f"{where} is neither the name of a module nor the path of a .py file"
        raise TargetError(f"{role} {quoted(spec, LONGEST)}: {message}")
    value: Any = module
    parts = attributes.split(".")
    for depth, part in enumerate(parts):
        reached = f"{place}:{'.'.join(parts[:depth])}".removesuffix(":")
        try:
            value = getattr(value, part)
        except AttributeError:
            raise TargetError(f"{role} {spec!r}: {_no_attribute(value, reached, part, folder)}") from None
        except Exception as error:
            message = f"{role} {spec!r}: reading {part!r} of {reached!r} raised {_say(error)}"
            raise TargetError(message) from _as_users(error)
    return module, value


def _load_file(path: str, role: str) -> types.ModuleType:
    # No pathlib here: it would be a tenth of what we load beside numpy.
    import zlib

    path = os.path.realpath(path)
    folder, file = os.path.split(path)
    own, suffix = os.path.splitext(file)
    if os.path.isdir(path):
        raise TargetError(f"{role}: {path} is a directory; name a file in it, as in {file}/FILE.py:NAME")
    if not os.path.exists(path):
        siblings = [name for name in os.listdir(folder) if name.endswith(".py")] if os.path.isdir(folder) else []
        why = _did_you_mean(file, siblings) if os.path.isdir(folder) else f"; there is no folder {folder}"
        raise TargetError(f"{role}: no such file: {short(path, LONGEST)}{why}")
    if not os.path.isfile(path):
        raise TargetError(f"{role}: {path} is no regular file")
    if suffix != ".py":
        raise TargetError(f"{role}: {path} is not a Python file; its name must end in .py")
    package: list[str] = []
    root = folder
    while os.path.isfile(os.path.join(root, "__init__.py")):
        root, name = os.path.split(root)
        package.insert(0, name)
    name = ".".join(package if own == "__init__" and package else [*package, own])
    for loaded in (name, alias := f"{own}_{zlib.crc32(os.fsencode(path)):08x}"):
        if _is_file_of(sys.modules.get(loaded), path):
            return sys.modules[loaded]
    if package and all(part.isidentifier() for part in package):
        # Relative imports work only under the full name.  The folder itself goes last on the path: as the folder of
        # a package, it may rightly hold a random.py that must not stand in for the standard one.
        if folder not in sys.path:
            sys.path.append(folder)
        module = load_module(name, role=role, folder=root)
        if _is_file_of(module, path):
            return module
    # Under the file's own name, so that modules beside it import this very module; but never in the place of another.
    free = own not in {*sys.modules, *sys.stdlib_module_names, *_DEPENDENCIES}
    return _execute(path, own if free else alias, role)


def _execute(path: str, name: str, role: str) -> types.ModuleType:
    with _first_on_path(os.path.dirname(path)):
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None  # the suffix .py always has a loader
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
        except BaseException as error:
            del sys.modules[name]
            if isinstance(error, KeyboardInterrupt):
                raise
            raise _import_failure(path, error, role) from _as_users(error)
    return sys.modules.get(name, module)


@contextlib.contextmanager
def _first_on_path(folder: str) -> Iterator[None]:
    """Let `folder` come first while the user's module is imported, as in a script, and last afterwards.

    Else a random.py of the user's would be what numpy, rich or Numba find when they import theirs, early or late.
    """
    _import_numpy_without(folder)
    importlib.invalidate_caches()
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        with contextlib.suppress(ValueError):  # the user's module may have rewritten sys.path
            sys.path.remove(folder)
        if folder not in sys.path:
            sys.path.append(folder)


def _import_numpy_without(folder: str) -> None:
    # numpy.random is what numpy leaves for later.  With `python -m` the folder is on the path before anyone asks.
    if "numpy.random" in sys.modules or not _shadows_standard_library(folder):
        return
    before = sys.path[:]
    sys.path[:] = [entry for entry in before if os.path.realpath(entry or ".") != os.path.realpath(folder)]
    try:
        importlib.import_module("numpy.random")
    except ModuleNotFoundError:
        pass  # numpy is installed in that very folder
    finally:
        sys.path[:] = before


def _shadows_standard_library(folder: str) -> bool:
    with contextlib.suppress(OSError):
        return any(name.partition(".")[0] in sys.stdlib_module_names for name in os.listdir(folder))
    return False


def _call_factory(factory: Any, spec: str, role: str) -> Any:
    if not callable(factory):
        raise TargetError(f"{role} {spec!r} is {_a(factory)}; a factory must be callable without arguments")
    try:
        return factory()
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        message = f"{role} {spec!r}, called without arguments as a factory, raised {_say(error)}"
        raise UserCodeError(message) from _as_users(error)


def _is_file_of(module: types.ModuleType | None, path: str) -> bool:
    file = getattr(module, "__file__", None)
    return isinstance(file, str) and os.path.realpath(file) == path


def _import_failure(name: str, error: BaseException, role: str) -> TargetError:
    if isinstance(error, SyntaxError) and error.filename:
        return TargetError(f"{role}: {name} cannot be imported: {error.filename}:{error.lineno}: {_say(error)}")
    return TargetError(f"{role}: {name} was found, but importing it raised {_say(error)}")


def _as_users(error: BaseException) -> BaseException:
    """The same exception with the frames of the import machinery cut off, so that its traceback starts in user code."""
    frame = error.__traceback__
    while frame is not None:
        file = frame.tb_frame.f_code.co_filename
        if file not in (__file__, importlib.__file__) and not file.startswith("<frozen importlib"):
            break
        frame = frame.tb_next
    return error.with_traceback(frame)


def _say(error: BaseException) -> str:
    text = short(str(error.msg)) if isinstance(error, SyntaxError) else one_line(error)
    return f"{type(error).__name__}: {text}".rstrip(": ")


def _a(value: object) -> str:
    kind = type(value).__name__
    return "None" if value is None else f"{'an' if kind.startswith(('a', 'e', 'i', 'o', 'nd')) else 'a'} {kind}"


def _did_you_mean(name: str, names: Iterable[str], prefix: str = "") -> str:
    import difflib

    near = difflib.get_close_matches(name, sorted({*names} - {name}), n=1)
    return f"; did you mean {prefix}{near[0]}?" if near else ""


def _not_found(error: ModuleNotFoundError, home: str) -> str:
    import pkgutil

    missing = error.name or ""
    parent, _, leaf = missing.rpartition(".")
    if not parent:
        near = _did_you_mean(leaf, (module.name for module in pkgutil.iter_modules([home])))
        folders = list(dict.fromkeys([home, *(entry or home for entry in sys.path)]))
        more = f" and {len(folders) - SEARCHED} more folders" if len(folders) > SEARCHED else ""
        return f"no module named {missing!r} in {', '.join(folders[:SEARCHED])}{more}{near}"
    path = getattr(sys.modules.get(parent), "__path__", None)
    if path is None:
        return f"no module named {missing!r}: {parent!r} is a module, not a package; did you mean {parent}:{leaf}?"
    near = _did_you_mean(leaf, (module.name for module in pkgutil.iter_modules(path)), f"{parent}.")
    return f"no module named {missing!r} in {', '.join(path)}{near}"


def _no_attribute(owner: Any, reached: str, part: str, folder: str | os.PathLike[str] | None) -> str:
    message = f"{reached!r} has no attribute {part!r}"
    if isinstance(owner, types.ModuleType):
        file = getattr(owner, "__file__", None)
        message += f" (it is {file})" if file else " (it is built into Python)"
        shadowed = os.path.realpath(os.path.join(folder or ".", f"{reached}.py"))
        if os.path.isfile(shadowed) and not _is_file_of(owner, shadowed):
            return f"{message}; for the file of that name write {os.path.basename(shadowed)}:{part}"
    return message + _did_you_mean(part, dir(owner))


def _form_hint(spec: str, folder: str | os.PathLike[str] | None) -> str:
    spec = spec.strip(":")
    if spec.endswith(".py"):
        import ast

        names: list[str] = []
        with (
            contextlib.suppress(OSError, SyntaxError, ValueError),
            open(os.path.join(folder or ".", spec), "rb") as source,
        ):
            tree = ast.parse(source.read())
            names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name[0] != "_"]
        return f"; write {spec}:NAME" + (f", with NAME one of {', '.join(names[:8])}" if names else "")
    module, _, attribute = spec.rpartition(".")
    return f"; did you mean {module}:{attribute}?" if module and attribute.isidentifier() else ""
