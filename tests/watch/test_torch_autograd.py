"""The backward of a `torch.autograd.Function`, checked where it is applied."""

from __future__ import annotations

from typing import Any

import pytest

import gradcheck
from gradcheck.watch.outcome import Class

torch: Any = pytest.importorskip("torch", reason="torch is not installed", exc_type=ImportError)


def cube(factor: float, dtype: Any = None) -> Any:
    class Cube(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any, scale: float) -> Any:
            ctx.save_for_backward(x)
            ctx.scale = scale
            if dtype is not None:
                assert x.dtype == dtype
            return scale * x**3

        @staticmethod
        def backward(ctx: Any, slope: Any) -> Any:
            (x,) = ctx.saved_tensors
            return factor * 3 * ctx.scale * x**2 * slope, None

    return Cube


@pytest.mark.parametrize(("factor", "category"), [(1.0, Class.RIGHT), (1.01, Class.WRONG)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_backward_is_compared_with_its_forward(factor: float, category: Class, dtype: str) -> None:
    x = torch.linspace(-1, 2, 6, dtype=getattr(torch, dtype)).reshape(2, 3).requires_grad_()
    function = cube(factor)
    function.apply(x, 2.0).sum().backward()
    without = x.grad.clone()
    x.grad = None
    with gradcheck.watching(budget=None) as seen:
        for _ in range(3):
            function.apply(x, 2.0).sum().backward()
            assert torch.equal(x.grad, without)
            x.grad = None
    (outcome,) = seen.outcomes
    assert outcome.category is category, str(seen)
    assert outcome.name.endswith("Cube.backward")
    assert outcome.file == __file__


def test_what_is_no_derivative_says_so() -> None:
    function = gradcheck.not_a_derivative("straight-through")(cube(0.0))
    with gradcheck.watching(budget=None) as seen:
        function.apply(torch.ones(3, requires_grad=True), 1.0)
        cube(0.0).apply(torch.ones(3), 1.0)  # no gradient is wanted
    assert not seen.outcomes


@pytest.mark.parametrize(("factor", "category"), [(1.0, Class.RIGHT), (1.01, Class.WRONG)])
def test_a_rule_of_torch_library_is_compared_with_its_operator(factor: float, category: Class) -> None:
    name = f"gradchecktest::cube_{category.name.lower()}"

    @torch.library.custom_op(name, mutates_args=())  # type: ignore[untyped-decorator]
    def cube_op(x: torch.Tensor, scale: float) -> torch.Tensor:
        return scale * x**3

    def kept(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.save_for_backward(inputs[0])
        ctx.scale = inputs[1]

    def rule(ctx: Any, slope: Any) -> Any:
        (x,) = ctx.saved_tensors
        return factor * 3 * ctx.scale * x**2 * slope, None

    torch.library.register_autograd(name, rule, setup_context=kept)
    x = torch.linspace(-1, 2, 6).requires_grad_()
    with gradcheck.watching(budget=None) as seen:
        cube_op(x, 2.0).sum().backward()
    (outcome,) = seen.outcomes
    assert outcome.category is category, str(seen)
    assert outcome.name == "rule"
    assert outcome.via == "torch.library.register_autograd"
