"""The layers of the package, and what importing it may load."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import gradcheck

PACKAGE = Path(__file__).parents[2] / "gradcheck"
MODULES = sorted(".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts) for path in PACKAGE.rglob("*.py"))

FLOORS = (  # from the ground up; a package imports only what stands below it
    "records",
    "wording",
    "version",
    "errors",
    "model",
    "reporting",
    "options",
    "numerics",
    "variables",
    "diagnosis",
    "evaluation",
    "methods",
    "reach",
    "repair",
    "checks",
    "strategies",
    "testing",
    "runner",
    "watch",
    "sweep",
    "pytest_plugin",
    "cli",
    "__main__",
)
MOST_LINES = 400  # of a module, unless its first lines give a reason
LONGEST = 33  # modules on the longest chain of imports, the face of the nouns and six of their modules among them
ONLY_IMPORTER = {
    "numba": {"gradcheck.numerics.kernels"},
    "llvmlite": {"gradcheck.numerics.kernels"},
    "click": {"gradcheck.cli.command", "gradcheck.cli.completion", "gradcheck.cli.parameters"},
    "pytest": {"gradcheck.pytest_plugin"},  # all of it
    "_pytest": set(),
    "rich": {"gradcheck.reporting.text", "gradcheck.cli.command"},
    "hypothesis": {"gradcheck.strategies"},
    "scipy": set(),
    "matplotlib": {"gradcheck.reporting.png"},
}
HEAVY = ("numpy", "numba", "llvmlite", "click", "rich", "pytest", "_pytest", "scipy", "matplotlib")

NOT_FOR_A_GRADIENT = (  # that is right, of a plain function, in few dimensions
    "cli.asking",
    "cli.completion",
    "checks.explanation",
    "checks.further",
    "checks.hessian",
    "checks.jacobian",
    "checks.matrix",
    "checks.mending",
    "checks.products",
    "diagnosis.explain",
    "diagnosis.statement",
    "evaluation.compilation",
    "evaluation.matrices",
    "evaluation.matrix_claims",
    "evaluation.branches",
    "evaluation.memory",
    "evaluation.recording",
    "evaluation.tracebacks",
    "evaluation.workers",
    "variables.frameworks",
    "variables.nodes",
    "variables.trees",
    "methods.directions",
    "methods.matrix_directions",
    "methods.reexamination",
    "methods.sparsity",
    "model.complex",
    "model.costly",
    "model.diagnoses",
    "model.directions",
    "model.mutations",
    "model.pictured",
    "numerics.kernels",
    "numerics.localization",
    "numerics.readings",
    "reach.elsewhere",
    "reach.search",
    "reporting.changes",
    "runner.arrays",
    "runner.datafiles",
)
NOT_BESIDE_NUMPY = ("json", "locale", "pathlib", "random", "sqlite3", "subprocess", "tempfile")
"""Modules of the standard library that cost milliseconds, and that neither numpy nor a check that is right has a use for."""


def floor(module: str) -> int:
    room = module.split(".")[1]
    assert room in FLOORS, f"{module} has no floor yet: say in FLOORS where it belongs"
    return FLOORS.index(room)


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
    """The modules of this package that a module imports, be it for their types only."""
    found = imports(module)
    return {
        f"{name}.__init__" if f"{name}.__init__" in MODULES else name for name in found if name.startswith("gradcheck")
    } - {module, "gradcheck.__init__"}


@pytest.mark.parametrize("module", MODULES)
def test_a_long_module_says_why(module: str) -> None:
    text = source_of(module).read_text(encoding="utf-8")
    reason = "It is long because" in (ast.get_docstring(ast.parse(text)) or "") or "one long module" in text[:500]
    assert text.count("\n") <= MOST_LINES or reason, f"{module}: split it, or say why not"


WITHIN = [name for name in MODULES if name != "gradcheck.__init__"]  # the root is the face of all


@pytest.mark.parametrize("module", WITHIN)
def test_imports_point_downward(module: str) -> None:
    for other in ours(module):
        same_room = module.split(".")[1] == other.split(".")[1]
        assert same_room or floor(other) < floor(module), f"{module} imports {other}, which is no floor below it"


def test_no_circles_and_the_longest_chain() -> None:
    graph = {module: ours(module) for module in WITHIN}
    chains: dict[str, list[str]] = {}
    while len(chains) < len(graph):
        free = [module for module in graph if module not in chains and graph[module] <= chains.keys()]
        assert free, f"modules import each other in a circle: {sorted(graph.keys() - chains.keys())}"
        for module in free:
            longest = max((chains[other] for other in graph[module]), key=len, default=[])
            chains[module] = [module, *longest]
    longest = max(chains.values(), key=len)
    print("the longest chain:", " > ".join(longest))
    assert len(longest) <= LONGEST, longest


def test_the_public_list_agrees_with_itself() -> None:
    tree = ast.parse(source_of("gradcheck.__init__").read_text(encoding="utf-8"))
    typed = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module != "gradcheck.version" and node.module != "typing"
        for alias in node.names
        if (node.module or "").startswith("gradcheck.")
    }
    assert gradcheck.__all__ == sorted(gradcheck.__all__)
    assert typed == set(gradcheck.__all__)
    assert all(f"{getattr(gradcheck, name).__module__}.".startswith("gradcheck.") for name in gradcheck.__all__)


@pytest.mark.parametrize("module", MODULES)
def test_each_big_dependency_has_one_importer(module: str) -> None:
    for name in imports(module, at_run_time=True):
        allowed = ONLY_IMPORTER.get(name.split(".")[0])
        may = allowed is None or {module, module.rpartition(".")[0]} & allowed
        assert may, f"{module} imports {name}; only {allowed or 'nobody'} may"


def loaded_after(code: str) -> set[str]:
    script = f"import sys\n{code}\nloaded = sorted(sys.modules)\nimport json\nprint(json.dumps(loaded))"
    command = [sys.executable, "-W", "error", "-c", script]
    done = subprocess.run(command, cwd=PACKAGE.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    ("code", "allowed"),
    [
        ("import gradcheck", set()),
        ("import gradcheck\ndir(gradcheck); gradcheck.__version__", set()),
        ("import gradcheck.errors, gradcheck.model, gradcheck.runner.decorator, gradcheck.evaluation.sources", set()),
        ("import gradcheck.reporting", set()),
        ("from gradcheck.diagnosis.catalogue import explain, overview\nexplain('sign'); overview()", set()),
        ("from gradcheck.cli.command import command", {"click"}),
        ("import gradcheck.runner.config", set()),
        (
            "from gradcheck.cli.command import command\ncommand.get_help(command.make_context('gradcheck', ['x:f']))",
            {"click"},
        ),
    ],
)
def test_import_budget(code: str, allowed: set[str]) -> None:
    assert set(HEAVY) & loaded_after(code) <= allowed


@pytest.mark.parametrize(("color", "loaded_to_print"), [("auto", set()), ("always", {"rich"})])
def test_a_check_of_a_numpy_function_loads_what_it_needs(tmp_path: Path, color: str, loaded_to_print: set[str]) -> None:
    (tmp_path / "m.py").write_text("def f(x):\n    return (x * x).sum()\ndef g(x):\n    return 2 * x\n")
    arguments = [f"{tmp_path / 'm.py'}:f", "--grad", f"{tmp_path / 'm.py'}:g", "--dim", "100", "--color", color]
    code = (
        f"for name in {NOT_BESIDE_NUMPY!r}: sys.modules.pop(name, None)\n"  # how the package is installed may load them
        "from gradcheck.cli.command import command\n"
        f"try: command.main({arguments!r})\nexcept SystemExit as e: assert e.code == 0, e.code"
    )
    loaded = loaded_after(code)
    assert set(HEAVY) & loaded == {"numpy", "click"} | loaded_to_print
    assert not loaded & {f"gradcheck.{name}" for name in NOT_FOR_A_GRADIENT}
    assert loaded_to_print or not set(NOT_BESIDE_NUMPY) & loaded
    assert not loaded & {"rich.console", "rich.text"}
