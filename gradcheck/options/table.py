"""Every option of gradcheck, in one table: its name, its values, its default, its help, and where it may stand.

The keywords of the checks (`Options`), the flags of the command line, the keys of a declared check, the keywords of the
pytest marker, the flags and ini keys of the plugin, and the commands that repeat a check are all made of these rows.
A new option is a row here or, where callers of Python may give it, in `keywords`; and the place where it acts.
Nothing that takes time is imported.
"""

from __future__ import annotations

from typing import Any

from gradcheck.options.functions import Target
from gradcheck.options.keywords import KEYWORDS
from gradcheck.options.places import Parts, Point, Shape
from gradcheck.options.row import HOW, MANY, OUTPUT, TRUST, WHAT, WHERE, Face, Option
from gradcheck.options.values import Choice, File, Flag, Number, Text, Values, Written
from gradcheck.reporting.formats import FORMATS, PICTURES

CHECKS = Face.CLI | Face.CONFIG


def _claim(name: str, text: str) -> Option:
    return Option(name, Target(), WHAT, text, CHECKS, "T")


def _output(name: str, values: Values, text: str, **more: Any) -> Option:
    return Option(name, values, OUTPUT, text, Face.CLI, **more)


CLAIMS = (
    _claim("grad", "The claimed gradient: T(x) of the shape of x; or autograd: what torch or jax say."),
    _claim("hess", "The claimed Hessian; differenced from --grad where that is given."),
    _claim("hvp", "The claimed product T(x, v) of Hessian and vector."),
    _claim("jac", "The claimed Jacobian of a target with array values."),
    _claim("jvp", "The claimed product T(x, v) of Jacobian and vector."),
    _claim("vjp", "The claimed product T(x, u) of transposed Jacobian and vector."),
)
PROBLEM = (
    Option("target", Target(), WHAT, "The function.", Face.CONFIG),
    *CLAIMS,
    Option("value_and_grad", Flag(), WHAT, "{f} returns (value, gradient).", CHECKS, default=False),
    Option(
        "grad_and_hess",
        Flag(),
        WHAT,
        "--grad returns (gradient, diagonal of the Hessian), as objectives of boosting do.",
        CHECKS,
        default=False,
    ),
    Option("factory", Flag(), WHAT, "Each T is called once, and returns the callable.", CHECKS, default=False),
    Option("dim", Number(1, whole=True), WHERE, "A random vector of N entries.", CHECKS, "N"),
    Option("shape", Shape(), WHERE, "A random matrix, or array, of this shape.", CHECKS, "20x3"),
    Option("point", Point(), WHERE, "A .npy, .npz, .safetensors, .csv or .json file, 1,2,3, or a T.", CHECKS, "P"),
    Option(
        "vars",
        Parts(),
        WHERE,
        "An argument of {f}, or else an entry of the dict it takes: a shape to draw, as in W=20x3, or P as above. Repeatable.",
        CHECKS,
        "NAME=P",
        flags=("--var",),
        repeatable=True,
    ),
    Option("complex", Flag(), WHERE, "What is drawn is complex.", CHECKS, default=False),
    Option(
        "arrays",
        Text("the name of a framework, such as torch, jax or array_api_strict"),
        WHERE,
        "Hand {f} arrays of torch, jax, cupy, or of any module that keeps to the array API standard.",
        CHECKS,
        "FRAMEWORK",
    ),
)
PLACES = ("dim", "shape", "point", "vars")
"""Those that say where to check."""

ELSEWHERE = (
    Option(
        "ask",
        Written(".npz", ".json"),
        HOW,
        "{f} runs elsewhere: write the points it is wanted at. So may --grad, --jac or --hess: told in place of T.",
        Face.CLI,
        "FILE",
    ),
    Option("tell", File(".npz", ".json"), HOW, "Take the values at the points last asked for.", Face.CLI, "FILE"),
)
VERDICT = (
    Option("self_test", Flag(), TRUST, "Show which mistakes this check would have caught.", Face.CLI, default=False),
    Option(
        "mutate",
        Flag(),
        TRUST,
        "Break the source of the claim line by line; show which lines could be broken without this check noticing.",
        Face.CLI,
        default=False,
    ),
    Option("exit_zero", Flag(), TRUST, "Exit 0 whatever the verdict.", Face.CLI, default=False),
)
PRINTED = (
    _output("style", Choice(*FORMATS), "The form of the report.", shown="text, or as FILE ends", flags=("--format",)),
    _output("output", Written(), "Write the report there, not to stdout.", metavar="FILE", flags=("-o", "--output")),
    *(_output(form.name, Written(), form.beside, metavar="FILE") for form in FORMATS.values() if form.beside),
    _output("plot", Written(*PICTURES), "Write the pictures alone, as .svg or .png.", metavar="FILE"),
    _output("top", Number(0, whole=True), "Rows of a table.", metavar="N", shown="10; 60 in a page"),
    _output("all_rows", Flag(), "Show every row.", default=False, flags=("--all",)),
    _output("sort", Choice("worst", "relative", "index"), "Order of rows.", default="worst"),
    _output("color", Choice("auto", "always", "never"), "Colours.", default="auto"),
    _output("failures", Flag(), "Only what did not pass, and how many did.", default=False),
    _output("quiet", Flag(), "The verdict alone, and no progress.", default=False, flags=("-q", "--quiet")),
    _output(
        "verbose",
        Flag(),
        "Steps, evaluations, versions; progress even into logs.",
        default=False,
        flags=("-v", "--verbose"),
    ),
    Option(
        "list_only",
        Flag(),
        MANY,
        "Show what is declared, and check nothing.",
        Face.CLI,
        default=False,
        flags=("--list",),
    ),
    Option("save_baseline", Written(), MANY, "Keep the digits reached for later runs.", Face.CLI, "FILE"),
    Option("baseline", File(), MANY, "Tell what has lost digits since FILE was saved.", Face.CLI, "FILE"),
)
OPTIONS = {row.name: row for row in (*PROBLEM, *KEYWORDS.values(), *ELSEWHERE, *VERDICT, *PRINTED)}
"""The whole table, by name, in the order of the help."""
