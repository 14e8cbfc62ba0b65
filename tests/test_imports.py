"""The layers of the package, and what importing it may load."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "gradcheck"
MODULES = sorted(".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts) for path in PACKAGE.rglob("*.py"))

LAYERS = {  # the longest prefix counts; imports go to the same layer or below, never in a circle
    "gradcheck.errors": 0,
    "gradcheck.model": 0,
    "gradcheck.numerics": 1,
    "gradcheck.sources": 1,
    "gradcheck.evaluation": 2,
    "gradcheck.preflight": 2,
    "gradcheck.datafiles": 2,
    "gradcheck.entries": 2,
    "gradcheck.second_look": 2,
    "gradcheck.sparsity": 2,
    "gradcheck.survey": 2,
    "gradcheck.probe": 2,
    "gradcheck.factors": 2,
    "gradcheck.rays": 2,
    "gradcheck.search": 2,
    "gradcheck.points": 2,
    "gradcheck.engines": 2,
    "gradcheck.execution": 2,
    "gradcheck.compilation": 2,
    "gradcheck.hessian": 2,
    "gradcheck.matrices": 2,
    "gradcheck.memory": 2,
    "gradcheck.explanation": 2,
    "gradcheck.rows": 2,
    "gradcheck.procedure": 2,
    "gradcheck.products": 2,
    "gradcheck.summary": 2,
    "gradcheck.checks": 2,
    "gradcheck.matrix_checks": 2,
    "gradcheck.matrix_procedure": 2,
    "gradcheck.testing": 2,
    "gradcheck.registry": 3,
    "gradcheck.targets": 3,
    "gradcheck.config": 3,
    "gradcheck.reporting": 4,
    "gradcheck.progress": 5,
    "gradcheck.output": 5,
    "gradcheck.run": 5,
    "gradcheck.recall": 5,
    "gradcheck.selection": 5,
    "gradcheck.cli": 6,
    "gradcheck.pytest_plugin": 6,
    "gradcheck.__main__": 7,
    "gradcheck": 7,  # the public names, lazily
}
ONLY_IMPORTER = {
    "numba": {"gradcheck.numerics.kernels"},
    "llvmlite": {"gradcheck.numerics.kernels"},
    "click": {"gradcheck.cli"},
    "pytest": {"gradcheck.pytest_plugin"},
    "_pytest": {"gradcheck.pytest_plugin"},
    "rich": {"gradcheck.reporting.text", "gradcheck.cli"},
    "scipy": set(),
    "matplotlib": set(),
}
HEAVY = ("numpy", "numba", "llvmlite", "click", "rich", "pytest", "_pytest", "scipy")

NOT_FOR_A_GRADIENT = (  # that is right, of a plain function, in few dimensions
    "compilation",
    "execution",
    "explanation",
    "hessian",
    "matrices",
    "matrix_checks",
    "matrix_procedure",
    "memory",
    "numerics.diagnosis",
    "numerics.kernels",
    "numerics.localization",
    "products",
    "rows",
    "search",
    "second_look",
    "sparsity",
)


def layer(module: str) -> int:
    if module == "gradcheck":
        return LAYERS[module]
    parts = module.split(".")
    known = [".".join(parts[:n]) for n in range(len(parts), 1, -1) if ".".join(parts[:n]) in LAYERS]
    assert known, f"{module} has no layer yet: say in LAYERS where it belongs"
    return LAYERS[known[0]]


def source_of(module: str) -> Path:
    path = PACKAGE.parent.joinpath(*module.split("."))
    return path if path.suffix else path.with_suffix(".py")


def imports(module: str, *, at_run_time: bool = False) -> set[str]:
    """Absolute names of all that a module imports, wherever in it; `at_run_time` leaves out TYPE_CHECKING blocks."""
    tree = ast.parse(source_of(module).read_text(encoding="utf-8"))
    if at_run_time:
        for node in ast.walk(tree):
            if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
                node.body = [ast.Pass()]
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{module}: relative imports hide the layer; write the full name"
            assert node.module is not None
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= names & set(MODULES) or {node.module}
            found |= {node.module} if names - set(MODULES) else set()
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            found |= {argument.value for argument in node.args[:1] if isinstance(argument, ast.Constant)}
    return found


def ours(module: str) -> set[str]:
    found = imports(module, at_run_time=True)
    return {
        f"{name}.__init__" if f"{name}.__init__" in MODULES else name for name in found if name.startswith("gradcheck")
    }


@pytest.mark.parametrize("module", [name for name in MODULES if name != "gradcheck.__init__"])
def test_imports_point_downward(module: str) -> None:
    own = layer(module.removesuffix(".__init__"))
    for other in ours(module) - {"gradcheck.__init__"}:  # the root is only asked for its version
        assert layer(other.removesuffix(".__init__")) <= own, f"{module} imports {other}, which is above it"


def test_no_circles() -> None:
    graph = {
        module: ours(module) - {module, "gradcheck.__init__"} for module in MODULES if module != "gradcheck.__init__"
    }
    while graph:
        free = [module for module, needed in graph.items() if not needed & graph.keys()]
        assert free, f"modules import each other in a circle: {sorted(graph)}"
        for module in free:
            del graph[module]


@pytest.mark.parametrize("module", MODULES)
def test_each_big_dependency_has_one_importer(module: str) -> None:
    for name in imports(module, at_run_time=True):
        allowed = ONLY_IMPORTER.get(name.split(".")[0])
        assert allowed is None or module in allowed, f"{module} imports {name}; only {allowed or 'nobody'} may"


def loaded_after(code: str) -> set[str]:
    script = f"import sys\n{code}\nimport json\nprint(json.dumps(sorted(sys.modules)))"
    command = [sys.executable, "-W", "error", "-c", script]
    done = subprocess.run(command, cwd=PACKAGE.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    ("code", "allowed"),
    [
        ("import gradcheck", set()),
        ("import gradcheck\ndir(gradcheck); gradcheck.__version__", set()),
        ("import gradcheck.errors, gradcheck.model, gradcheck.registry, gradcheck.sources", set()),
        ("import gradcheck.reporting", set()),
        ("from gradcheck.cli import command", {"click"}),
        ("from gradcheck.cli import command\ncommand.get_help(command.make_context('gradcheck', ['x:f']))", {"click"}),
    ],
)
def test_import_budget(code: str, allowed: set[str]) -> None:
    assert set(HEAVY) & loaded_after(code) <= allowed


@pytest.mark.parametrize(("color", "loaded_to_print"), [("auto", set()), ("always", {"rich"})])
def test_a_check_of_a_numpy_function_loads_what_it_needs(tmp_path: Path, color: str, loaded_to_print: set[str]) -> None:
    (tmp_path / "m.py").write_text("def f(x):\n    return (x * x).sum()\ndef g(x):\n    return 2 * x\n")
    arguments = [f"{tmp_path / 'm.py'}:f", "--grad", f"{tmp_path / 'm.py'}:g", "--dim", "100", "--color", color]
    code = (
        "from gradcheck.cli import command\n"
        f"try: command.main({arguments!r})\nexcept SystemExit as e: assert e.code == 0, e.code"
    )
    loaded = loaded_after(code)
    assert set(HEAVY) & loaded == {"numpy", "click"} | loaded_to_print
    assert not loaded & {f"gradcheck.{name}" for name in NOT_FOR_A_GRADIENT}
