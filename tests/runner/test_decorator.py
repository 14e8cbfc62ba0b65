from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pytest

from gradcheck.errors import ConfigError, TargetError
from gradcheck.model import Kind
from gradcheck.runner import decorator as registry
from gradcheck.runner.decorator import derivative_of, discover, registered
from gradcheck.runner.targets import load, load_module

ROOT = Path(__file__).resolve().parents[2]

DECLARATIONS = {
    "__init__": "",
    "__main__": "raise SystemExit('the program ran')",
    "plain": """
        def f(x): return float(x @ x)

        @derivative_of(f, dim=5, rtol=1e-6)
        def g(x): return 2 * x

        @derivative_of(f, "hess", shape=[5], grad=g)
        def h(x): return 2 * np.eye(x.size)

        @derivative_of(lambda x: 2 * f(x) / 2, point=[1, 2])
        @derivative_of(f, dim=3)
        def serves_two(x): return 2 * x
    """,
    "objects": """
        import numba

        class Model:
            def __init__(self, scale): self.scale = scale
            def f(self, x): return self.scale * float(x @ x)
            def g(self, x): return 2 * self.scale * x

            @staticmethod
            def square(x): return float(x @ x)

            @derivative_of(square, dim=2)
            @staticmethod
            def square_grad(x): return 2 * x

        for scale in (1.0, 2.0):
            model = Model(scale)
            derivative_of(model.f, dim=2)(model.g)

        @numba.njit
        def f(x): return x[0] * x[0]

        @derivative_of(f, dim=1)
        @numba.njit
        def g(x): return 2 * x

        def outer():
            @derivative_of(f, dim=1)
            def nested(x): return 2 * x

        outer()
        outer()
    """,
    "sub/__init__": "",
    "sub/deep": """
        @derivative_of(sum, dim=2, name="named")
        def deep(x): return np.ones_like(x)
    """,
    "wrong/dims": """
        @derivative_of(sum)
        def no_dim(x): ...

        @derivative_of(sum, dim=0)
        def zero(x): ...

        @derivative_of(sum, dims=3)
        def unknown(x): ...

        @derivative_of(sum, dim=3, target="m:f")
        def doubled(x): ...

        class Model:
            def f(self, x): ...

            @derivative_of(f, dim=3)
            def g(self, x): ...
    """,
    "wrong/__init__": "",
    "wrong/raises": "1 / 0",
    "wrong/exits": "raise SystemExit(3)",
    "wrong/same": """
        @derivative_of(sum, dim=2, name="named")
        def same(x): ...
    """,
}


@pytest.fixture(autouse=True)
def own_pairs(monkeypatch):
    monkeypatch.setattr(registry, "_pairs", {})


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package on disk with declarations of every sort; forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    path = sys.path[:]
    head = "import numpy as np\nfrom gradcheck.runner.decorator import derivative_of\n"
    for name, body in DECLARATIONS.items():
        file = tmp_path / "declaring" / f"{name}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        lines = body.splitlines()
        file.write_text(head + "\n".join(line.removeprefix("        ") for line in lines), encoding="utf-8")
    (tmp_path / "declaring_not").mkdir()
    (tmp_path / "declaring_not" / "__init__.py").write_text("raise AssertionError", encoding="utf-8")
    yield tmp_path / "declaring"
    sys.path[:] = path
    for name in [name for name in sys.modules if name.split(".")[0] == "declaring"]:
        del sys.modules[name]


def test_pairs_below_a_package_are_found_and_can_be_loaded(package):
    found = discover("declaring", load_module)
    assert [check.name for check in found.checks] == [
        "declaring.objects:Model.square_grad",
        "declaring.objects:Model.g",
        "declaring.objects:Model.g of Model.f",
        "declaring.objects:g",
        "declaring.objects:nested",
        "declaring.plain:g",
        "declaring.plain:h",
        "declaring.plain:serves_two",
        "declaring.plain:serves_two of <lambda>",
        "named",
    ]
    checks = {check.name: check for check in found.checks}
    x = np.array([3.0])
    for check in checks.values():
        (claim,) = [claim for kind, claim in check.claims.items() if kind is not Kind.GRADIENT] or check.claims.values()
        assert load(claim).value(x).shape[0] == 1
        assert load(check.target).value(x) in (9.0, 18.0, 3.0)
    scaled = [checks[f"declaring.objects:Model.g{end}"].claims[Kind.GRADIENT](x)[0] for end in ("", " of Model.f")]
    assert scaled == [6.0, 12.0]
    plain = checks["declaring.plain:g"]
    assert plain.options == {"dim": 5, "rtol": 1e-6}
    assert plain.file == str(package / "plain.py")
    assert plain.section == "derivative_of(f) on g, line 7"
    assert checks["declaring.plain:h"].claims == {
        Kind.GRADIENT: plain.claims[Kind.GRADIENT],
        Kind.HESSIAN: checks["declaring.plain:h"].derivatives[Kind.HESSIAN],
    }
    assert checks["declaring.plain:serves_two of <lambda>"].option("point") == "[1, 2]"


def test_what_is_unfit_is_collected(package):
    problems = [str(problem) for problem in discover("declaring", load_module).problems]
    expected = [
        "declaring.wrong.exits was found, but importing it raised SystemExit: 3",
        "declaring.wrong.raises was found, but importing it raised ZeroDivisionError",
        "on no_dim, line 5: nowhere to check; give one of dim, shape, point, vars",
        "on zero, line 8: dim is 0; it must be",
        "on unknown, line 11: unknown key 'dims'; did you mean 'dim'?",
        "on doubled, line 14: 'target' is for the decorator to say",
        "Model.f is a method without its object; declare bound methods",
        "the name 'named' is taken by",
    ]
    for part in expected:
        assert sum(part in problem for problem in problems) == 1, part
    assert len(problems) == len(expected)
    assert not any("\n" in problem for problem in problems)


def test_one_module_is_looked_through_too(package):
    found = discover("declaring.sub", load_module)
    assert [check.name for check in found.checks] == ["named"]
    assert "declaring.plain" not in sys.modules
    assert len(discover("declaring.plain", load_module).checks) == 4


def test_a_package_that_cannot_be_imported_is_an_error(package):
    with pytest.raises(TargetError, match="did you mean declaring"):
        discover("declarin", load_module)


def test_the_decorator_returns_the_very_function():
    jitted = numba.njit(lambda x: x)
    for function in (lambda x: x, jitted, np.sin, registered):
        assert derivative_of(sum, dim=1)(function) is function
    assert [pair.derivative for pair in registered(__name__)][1:] == [jitted, np.sin, registered]


@pytest.mark.parametrize("kind", [*Kind, "grad", "hess", "jac"])
def test_every_kind_is_known(kind):
    derivative_of(sum, kind)(max)
    assert registered()[0].kind.value.startswith(kind)


@pytest.mark.parametrize("kind", ["slope", "", "g"])
def test_an_unknown_kind_is_named(kind):
    with pytest.raises(ConfigError, match=f"unknown kind '{kind}'; use one of gradient, jacobian"):
        derivative_of(sum, kind)


def test_a_forgotten_function_is_noticed():
    @derivative_of
    def g(x):
        return 2 * x

    with pytest.raises(TypeError, match=r"as in @derivative_of\(f\)"):
        g(np.ones(2))
    with pytest.raises(TypeError, match="needs the function"):
        derivative_of("f")


def test_a_function_defined_anew_replaces_its_predecessor():
    def outer():
        @derivative_of(sum, dim=1)
        def inner(x):
            return x

        return inner

    assert [outer(), outer()][-1] is registered()[0].derivative
    assert len(registered()) == 1


def test_the_decorator_imports_the_standard_library_only():
    code = (
        "import sys\nfrom gradcheck.runner.decorator import derivative_of\n"
        "@derivative_of(sum, dim=3)\ndef g(x): ...\n"
        "print([m for m in ('numpy', 'numba', 'click', 'rich', 'pytest') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
