"""Arrays of frameworks (torch, jax, …) as NumPy arrays, and back: one row a framework.

None is ever imported here: a value that belongs to one shows that the user has done so.
"""

from __future__ import annotations

import contextlib
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.records import record

if TYPE_CHECKING:
    from types import ModuleType

    from numpy.typing import NDArray


@record
class Like:
    """What the arrays that user code is handed have in common with those of x0, beside shape and dtype.

    device: where they live; None for the host.
    needs_grad: a framework records what is done to them.
    """

    device: Any = None
    needs_grad: bool = False


class Framework(ABC):
    """One framework, by its arrays.

    name: of its module.
    noun: of one of its arrays.
    maps: it makes a function of many points of one of a single point.
    batching: seconds that evaluations must take before that pays.
    """

    name: str
    noun: str
    maps = False
    batching = 0.0

    @abstractmethod
    def numpy(self, value: Any) -> NDArray[Any]:
        """The numbers of an array of this framework, on the host; they may share memory with it."""

    @abstractmethod
    def like(self, value: Any) -> Like:
        """What is to be kept of an array beside its numbers."""

    @abstractmethod
    def make(self, hosts: Sequence[NDArray[Any]], likes: Sequence[Like]) -> list[Any]:
        """Arrays of this framework with the numbers of NumPy arrays; one that `shares` uses the same memory."""

    def shares(self, like: Like) -> bool:
        """Whether what `make` makes shares memory with the NumPy array that it is made of."""
        return False

    def batched(self, call: Callable[[Any], Any]) -> Callable[[Any], Any] | None:
        """`call`, for trees of arrays with one more axis before the others; None if there is no such thing."""
        return None

    def collected(self, value: Any) -> Any:
        """The gradient that backward() has left with an array; None if there is none."""
        return None


class Torch(Framework):
    """Tensors of torch."""

    name, noun, maps = "torch", "torch tensor", True
    batching = 0.5  # what vmap needs is imported at its first use

    @property
    def module(self) -> ModuleType:
        """torch itself, which whoever handed over one of its arrays has imported."""
        return sys.modules["torch"]

    def numpy(self, value: Any) -> NDArray[Any]:
        value = value.detach()
        if value.device.type != "cpu":
            value = value.cpu()
        if value.dtype is self.module.bfloat16:
            value = value.float()
        numbers: NDArray[Any] = value.resolve_conj().resolve_neg().numpy()
        return numbers

    def like(self, value: Any) -> Like:
        return Like(None if value.device.type == "cpu" else value.device, value.requires_grad)

    def make(self, hosts: Sequence[NDArray[Any]], likes: Sequence[Like]) -> list[Any]:
        from_numpy = self.module.from_numpy
        made = [from_numpy(host) for host in hosts]
        for k, like in enumerate(likes):
            if like.device is not None:
                made[k] = made[k].to(like.device)
            if like.needs_grad:
                made[k].requires_grad_()
        return made

    def shares(self, like: Like) -> bool:
        return like.device is None

    def batched(self, call: Callable[[Any], Any]) -> Callable[[Any], Any]:
        mapped: Callable[[Any], Any] = self.module.func.vmap(call)
        return mapped

    def collected(self, value: Any) -> Any:
        return value.grad


class Jax(Framework):
    """Arrays of jax, in whatever precision its flag allows."""

    name, noun, maps = "jax", "jax array", True
    batching = 1.0  # each operation is compiled anew for each size of a batch

    def numpy(self, value: Any) -> NDArray[Any]:
        if value.dtype.name == "bfloat16":
            value = value.astype("float32")
        return np.asarray(value)

    def like(self, value: Any) -> Like:
        module = sys.modules["jax"]
        here = value.sharding.device_set == {module.numpy.zeros(()).device}  # where arrays are made by default
        return Like(None if here else value.sharding)

    def make(self, hosts: Sequence[NDArray[Any]], likes: Sequence[Like]) -> list[Any]:
        hosts = [host.copy() for host in hosts]  # jax may go on using the memory that it was given
        if any(like.device is not None for like in likes):
            put = sys.modules["jax"].device_put
            return [put(host, like.device) for host, like in zip(hosts, likes, strict=True)]
        return list(_identity()(hosts))

    def batched(self, call: Callable[[Any], Any]) -> Callable[[Any], Any]:
        mapped: Callable[[Any], Any] = sys.modules["jax"].vmap(call)
        return mapped


def _identity() -> Callable[[Any], Any]:
    """The fastest way to jax: a compiled function takes NumPy arrays in a tenth of the time that jax.numpy.asarray takes."""
    global _passed
    if _passed is None:
        _passed = sys.modules["jax"].jit(lambda arrays: arrays)
    return _passed


_passed: Callable[[Any], Any] | None = None


class CuPy(Framework):
    """Arrays of CuPy."""

    name, noun = "cupy", "CuPy array"

    def numpy(self, value: Any) -> NDArray[Any]:
        return np.asarray(value.get())

    def like(self, value: Any) -> Like:
        return Like(value.device)

    def make(self, hosts: Sequence[NDArray[Any]], likes: Sequence[Like]) -> list[Any]:
        made = []
        for host, like in zip(hosts, likes, strict=True):
            with like.device or contextlib.nullcontext():
                made.append(sys.modules["cupy"].asarray(host))
        return made


class ArrayStandard(Framework):
    """Arrays of any framework that keeps to the array API standard.

    module: of the arrays at hand.
    """

    noun = "array"

    def __init__(self, module: ModuleType) -> None:
        self.module, self.name = module, module.__name__
        self.noun = f"{self.name} array"

    def __reduce__(self) -> Any:
        return _standard, (self.name,)

    def numpy(self, value: Any) -> NDArray[Any]:
        if self._home is not None and value.device != self._home:
            value = value.to_device(self._home)
        try:
            return np.asarray(value)
        except (TypeError, ValueError, RuntimeError):
            return np.from_dlpack(value)

    def like(self, value: Any) -> Like:
        return Like(value.device)

    def make(self, hosts: Sequence[NDArray[Any]], likes: Sequence[Like]) -> list[Any]:
        new = self.module.asarray
        return [new(host, device=like.device, copy=True) for host, like in zip(hosts, likes, strict=True)]

    @property
    def _home(self) -> Any:
        """The device of the host, as far as the framework tells."""
        try:
            return self.module.__array_namespace_info__().default_device()
        except AttributeError:
            return None


def _standard(name: str) -> ArrayStandard:
    from importlib import import_module

    return ArrayStandard(import_module(name))  # in another process, where nobody has yet


_TORCH, _JAX = Torch(), Jax()
FRAMEWORKS: dict[str, Framework] = {"torch": _TORCH, "jax": _JAX, "jaxlib": _JAX, "cupy": CuPy()}
"""By the first name of the module in which the type of an array is defined."""


_known: dict[type, Framework | None] = {}  # by the type of an array; None for NumPy's, and for what is no array


def framework_of(value: Any) -> Framework | None:
    """The framework that an array belongs to; None for an array of NumPy, and for what is no array."""
    kind = type(value)
    if kind in _known:
        return _known[kind]
    found: Framework | None = None
    if not issubclass(kind, (np.ndarray, np.generic)) and hasattr(kind, "dtype") and hasattr(kind, "shape"):
        homes = (base.__module__.partition(".")[0] for base in kind.__mro__)
        found = next((FRAMEWORKS[home] for home in homes if home in FRAMEWORKS), None)
        if found is None and hasattr(kind, "__array_namespace__"):
            found = ArrayStandard(value.__array_namespace__())
    _known[kind] = found
    return found


def as_numpy(value: Any) -> NDArray[Any]:
    """An array of any framework, or what NumPy makes an array of; it may share memory with `value`."""
    framework = framework_of(value)
    return np.asarray(value) if framework is None else framework.numpy(value)


def precision(value: Any) -> str:
    """The name of the dtype of an array: 'float64', 'bfloat16', …"""
    return str(value.dtype).rpartition(".")[2]
