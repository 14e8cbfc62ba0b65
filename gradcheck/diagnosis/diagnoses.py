"""What each diagnosis means, with an example wrong and right, and what to try: the texts of `catalogue`, one entry a kind.

The examples are run by the tests, at a point x0 of six positive numbers; they may use numpy as np, and what `NAMES` has.
"""

from __future__ import annotations

from typing import NamedTuple

from gradcheck.model import DiagnosisKind


class Entry(NamedTuple):
    """What is to be said of one kind of diagnosis or finding.

    meaning: what it is; the first sentence stands in lists.
    given, wrong, right: code; given + wrong shows the mistake, given + right does not.
    remedy: what to look for, and what to try.
    keys: the parameters of such a diagnosis, beside ``entries``, which all have; `sometimes`: those that it may have.
    place: it may hold on a part of the entries alone, and then has the parameters that say where.
    options: keywords that the check of the example needs, as Python.
    """

    meaning: str
    given: str
    wrong: str
    right: str
    remedy: str
    keys: tuple[str, ...] = ()
    sometimes: tuple[str, ...] = ()
    place: bool = False
    options: str = ""


NAMES = {  # of the data in the examples
    "A": "(an 8 × 6 matrix)",
    "b": "(8 numbers)",
    "C": "(a 2 × 3 matrix)",
    "M": "(a 6 × 6 matrix that is not symmetric)",
    "c": "(6 numbers)",
    "x0": "(the point)",
}

PARAMETERS = {  # each key means the same in every kind
    "entries": "how many wrong entries it accounts for; an estimate where `low` and `high` stand beside it",
    "factor": "the number that the claim must be multiplied by, entry by entry",
    "uncertainty": "half the width of the interval in which that factor lies",
    "recognised": "the factor as a person would write it, such as 1/3 or 2π",
    "absolute": "true: the claim is the absolute value of the derivative",
    "term": "an expression in x, or the name of a suspect: what is missing in the sum, or as a factor of each entry",
    "coefficient": "how many times that term must be added to the claim; negative if there is too much of it",
    "order": "how the claimed values must be read to be in their places, in words",
    "moves": "pairs of flat row-major indices: where a value belongs, and where it was found; the first 50",
    "axis": "of whole lines of a matrix that are out of place: 0 if they are rows, 1 if columns",
    "lines": "pairs of their numbers: where a line belongs, and where it was found",
    "precision": "the type of number that the claim was rounded to",
    "triangle": "the half of the matrix that is filled, or read: upper or lower",
    "relative_gap": "the smallest and the largest gap, each relative to the larger of claim and numeric value",
    "ratio": "the smallest and the largest numeric / claimed; empty where every claim is 0",
    "cosine": "of the angle between claimed and numeric values",
    "one_sided": "whether all numeric values lie on the same side of the claim",
    "known": "how many entries were compared one by one",
    "largest": "the index of the entry with the largest gap; empty where only directions were compared",
    "low": "the least number of wrong entries that the sample allows",
    "high": "the largest number of wrong entries that the sample allows",
    "indices": "the index of each entry, the first 50",
    "range": "[start, stop] of flat row-major indices, stop not included",
    "start": "the first of every stride-th entry, as a flat index",
    "stop": "the end of them, not included",
    "stride": "the distance from each of them to the next",
    "row": "the row of a matrix",
    "column": "the column of a matrix; beside `row`, both",
    "rows": "[start, stop] of the rows of a rectangle, stop not included",
    "columns": "[start, stop] of its columns",
    "part": "diagonal, off-diagonal, lower triangle or upper triangle",
    "leaf": "the array of a tree that it is about; indices and ranges are within that",
    "leaves": "the arrays of a tree that it is about",
    "form": "the form of a claim in which it is right; the name as for the option",
    "map": "of perturbations from one side to those from the other: what the claim must be multiplied by",
    "convention": "the convention that the claim was judged by; the name as for the option",
    "paths": "the name of each entry of a tree, the first 50",
}

COMPLEX = "x0 = x0 + 1j * x0[::-1]\nf = lambda z: np.linalg.norm(A @ z - b) ** 2"
STEEPEST = "convention='steepest'"

UNIFORM = ("uncertainty", "recognised")  # of a factor: what is known where it was measured

DIAGNOSES = {
    DiagnosisKind.SIGN: Entry(
        meaning="All entries, or those where the derivative is negative, have the wrong sign.",
        given="f = lambda x: -np.sum(np.cos(x))",
        wrong="grad = lambda x: -np.sin(x)  # of the sum that is maximised",
        right="grad = lambda x: np.sin(x)",
        remedy="Look for a subtraction written the wrong way round, for the gradient of −f used for f, or for an "
        "abs() or a square that swallowed the sign.",
        keys=("factor",),
        sometimes=("absolute",),
        place=True,
    ),
    DiagnosisKind.SCALE: Entry(
        meaning="A constant factor is missing, or there once too often. It may be any number; recognised are 2, 1/2, "
        "1/n with n a length that is present, π, ln 2, fractions and short decimals.",
        given="f = lambda x: np.mean((A @ x - b) ** 2)",
        wrong="grad = lambda x: A.T @ (A @ x - b)",
        right="grad = lambda x: 2 / len(b) * A.T @ (A @ x - b)",
        remedy="Compare the constants in front of f with those in front of its derivative: the 2 of a square, the "
        "length of a mean, the ln 2 of a log2, degrees for radians.",
        keys=("factor", "uncertainty"),
        sometimes=("recognised",),
        place=True,
    ),
    DiagnosisKind.SINGLE_ENTRY: Entry(
        meaning="One entry is wrong, all others were seen to be right.",
        given="f = lambda x: np.sum(np.sin(x))",
        wrong="def grad(x):\n    g = np.cos(x)\n    g[0] = 0  # left over from debugging\n    return g",
        right="def grad(x):\n    return np.cos(x)",
        remedy="Look for the line that sets this component.",
        keys=("indices",),
    ),
    DiagnosisKind.ENTRIES: Entry(
        meaning="A few entries are wrong, in no simple way. So it is called, too, where not all the others could be "
        "judged, and in high dimension where so many are wrong all over it that they were counted by sample.",
        given='ends = {"constant_values": (1, -2)}\nf = lambda x: np.sum(np.diff(np.pad(x, 1, **ends)) ** 2) / 2',
        wrong='grad = lambda x: np.convolve(np.pad(x, 1, "edge"), [-1, 2, -1], "valid")  # as if the ends were free',
        right='grad = lambda x: np.convolve(np.pad(x, 1, **ends), [-1, 2, -1], "valid")',
        remedy="Look for the lines that set these components: the ends of a range, a special case, a mask.",
        keys=("indices",),
        sometimes=("factor", *UNIFORM, "low", "high"),
    ),
    DiagnosisKind.BLOCK: Entry(
        meaning="A range, every k-th entry, a row, a column or a rectangle is wrong, by a factor or in no simple way.",
        given="f = lambda x: np.sum(x[:3] ** 2) + np.sum(x[3:] ** 3)",
        wrong="grad = lambda x: np.concatenate([4 * x[:3], 3 * x[3:] ** 2])  # the first term is counted twice",
        right="grad = lambda x: np.concatenate([2 * x[:3], 3 * x[3:] ** 2])",
        remedy="Compare the line that sets this part with those for the rest.",
        sometimes=("factor", *UNIFORM),
        place=True,
    ),
    DiagnosisKind.ZERO_BLOCK: Entry(
        meaning="Entries that are claimed to be 0 and are not.",
        given="f = lambda x: np.sum(x[:3] ** 2) + np.sum(x[3:] ** 3)",
        wrong="def grad(x):\n    g = np.zeros(6)\n    g[:3] = 2 * x[:3]  # g[3:] is never assigned\n    return g",
        right="def grad(x):\n    g = np.zeros(6)\n    g[:3], g[3:] = 2 * x[:3], 3 * x[3:] ** 2\n    return g",
        remedy="Look for entries that are never assigned, a range that stops short, or a gradient that is detached "
        "there.",
        place=True,
    ),
    DiagnosisKind.TRANSPOSED: Entry(
        meaning="The layout is the other one, row- against column-major. For a vector every matrix shape is tried, "
        "and stretches of it too; for a Hessian the blocks of a matrix variable.",
        given="f = lambda x: np.sum(C * x.reshape(2, 3) ** 2)",
        wrong="grad = lambda x: (2 * C * x.reshape(2, 3)).T.ravel()",
        right="grad = lambda x: (2 * C * x.reshape(2, 3)).ravel()",
        remedy="Compare the memory order: x.reshape(shape) reads rows first; use order='F' or .T on both sides or on "
        "neither.",
        keys=("order",),
        place=True,
    ),
    DiagnosisKind.SHIFTED: Entry(
        meaning="Every value stands one place off.",
        given="f = lambda x: np.sum(x[:-1] ** 3)",
        wrong="grad = lambda x: np.append(0, 3 * x[:-1] ** 2)",
        right="grad = lambda x: np.append(3 * x[:-1] ** 2, 0)",
        remedy="Look at the indices on both sides of the assignment, and at np.roll, np.diff and np.cumsum.",
        keys=("order",),
        place=True,
    ),
    DiagnosisKind.REVERSED: Entry(
        meaning="The values stand in reverse order.",
        given="f = lambda x: np.polyval(x, 2.0)",
        wrong="grad = lambda x: 2.0 ** np.arange(x.size)  # polyval has the highest power first",
        right="grad = lambda x: 2.0 ** np.arange(x.size)[::-1]",
        remedy="Look for values collected from the last to the first, as in a backward sweep, and for the order of "
        "coefficients.",
        keys=("order",),
        place=True,
    ),
    DiagnosisKind.SWAPPED: Entry(
        meaning="Two entries, two columns or rows of a matrix, or two arrays of a tree have each other's values.",
        given="f = lambda x: x[0] ** 2 * x[1] + np.sum(x[2:] ** 2)",
        wrong="grad = lambda x: np.array([x[0] ** 2, 2 * x[0] * x[1], *(2 * x[2:])])",
        right="grad = lambda x: np.array([2 * x[0] * x[1], x[0] ** 2, *(2 * x[2:])])",
        remedy="Look at the order in which the components are put together.",
        sometimes=("indices", "axis", "lines"),
    ),
    DiagnosisKind.PERMUTED: Entry(
        meaning="The values are right, in another order of no simple kind.",
        given="f = lambda x: np.sort(x) @ c",
        wrong="grad = lambda x: c[np.argsort(x)]  # where the k-th smallest stands, not how many are smaller",
        right="grad = lambda x: c[np.argsort(np.argsort(x))]",
        remedy="Look for an argsort, a mask or an index array applied on one side only, or the wrong way round.",
        sometimes=("moves", "axis", "lines"),
        place=True,
    ),
    DiagnosisKind.MISSING_TERM: Entry(
        meaning="A term is missing, or there once too often. Tried are multiples of x, of sign(x), of a constant, for "
        "a Hessian of the identity matrix and x xᵀ, and of a term of your own (--suspect); of a gradient also the terms that "
        "f is a sum of, where its source can be read.",
        given="f = lambda x: np.sum((A @ x - b) ** 2) + 0.3 * x @ x",
        wrong="grad = lambda x: 2 * A.T @ (A @ x - b)",
        right="grad = lambda x: 2 * A.T @ (A @ x - b) + 0.6 * x",
        remedy="Look for a regulariser that f has and the gradient has not, or the other way round. A vector or a "
        "function of x that may be what is missing can be named: --suspect mymodule:term.",
        keys=("term", "coefficient"),
        place=True,
    ),
    DiagnosisKind.CHAIN_FACTOR: Entry(
        meaning="Each entry lacks a factor x, 1/x, exp(x), σ(x)(1 − σ(x)) or the like: the derivative by another variable "
        "than x.",
        given="f = lambda x: np.sum(np.sin(np.log(x)))",
        wrong="grad = lambda x: np.cos(np.log(x))  # the derivative by log x",
        right="grad = lambda x: np.cos(np.log(x)) / x",
        remedy="With u = log x inside f the derivative by x is that by u times 1/x; with u = x²/2 it is that by u "
        "times x.",
        keys=("term",),
        place=True,
    ),
    DiagnosisKind.LOW_PRECISION: Entry(
        meaning="Every claimed value is a single-precision number, and that is all that is wrong.",
        given="f = lambda x: np.sum((A @ x - b) ** 2)",
        wrong="def grad(x):\n    g = np.empty(6, np.float32)\n    g[:] = 2 * A.T @ (A @ x - b)\n    return g",
        right="def grad(x):\n    g = np.empty(6)\n    g[:] = 2 * A.T @ (A @ x - b)\n    return g",
        remedy="Look for np.float32, for an array made without dtype=float64, or for single-precision data. With the "
        "default rtol such a gradient passes.",
        keys=("precision", "relative_gap"),
        place=True,
        options="rtol=1e-9",
    ),
    DiagnosisKind.STALE_POINT: Entry(
        meaning="The claim is right at another point: asked a second time it gives the right values.",
        given='f = lambda x: np.sum((A @ x - b) ** 2)\nkept = {"residuals": A @ c - b}',
        wrong='def grad(x):\n    g = 2 * A.T @ kept["residuals"]  # those of the last call\n'
        '    kept["residuals"] = A @ x - b\n    return g',
        right='def grad(x):\n    kept["residuals"] = A @ x - b\n    return 2 * A.T @ kept["residuals"]',
        remedy="Values kept from an earlier call must be keyed on x; compute them anew when x has changed.",
        place=True,
    ),
    DiagnosisKind.NOT_SYMMETRIZED: Entry(
        meaning="(H + Hᵀ)/2 is right, H is claimed; or the same for a gradient that is linear in x.",
        given="f = lambda x: x @ M @ x",
        wrong="hess = lambda x: 2 * M  # so is the gradient 2 * M @ x",
        right="hess = lambda x: M + M.T",
        remedy="For f = ⟨x, Mx⟩ with M not symmetric the gradient is (M + Mᵀ)x and the Hessian M + Mᵀ.",
        place=True,
    ),
    DiagnosisKind.MISSING_TRANSPOSE: Entry(
        meaning="H + Hᵀ is right, H is claimed; or the same for a gradient that is linear in x.",
        given="f = lambda x: x @ M @ x",
        wrong="hess = lambda x: M  # so is the gradient M @ x",
        right="hess = lambda x: M + M.T",
        remedy="For f = ⟨x, Mx⟩ with M not symmetric the gradient is (M + Mᵀ)x and the Hessian M + Mᵀ.",
        place=True,
    ),
    DiagnosisKind.TRIANGLE_ONLY: Entry(
        meaning="One triangle of a Hessian is filled, or of a gradient on symmetric matrices, and its mirror image is right.",
        given="f = lambda x: x @ M @ x",
        wrong="hess = lambda x: np.triu(M + M.T)  # the other half is left to the reader",
        right="hess = lambda x: M + M.T",
        remedy="H + np.triu(H, 1).T fills the lower half, H + np.tril(H, -1).T the upper one.",
        keys=("triangle",),
        place=True,
    ),
    DiagnosisKind.DOUBLED_OFF_DIAGONAL: Entry(
        meaning="A gradient on symmetric matrices counts what is beside the diagonal double: S + Sᵀ − diag(S) is claimed, and S "
        "is right.",
        given="x0 = np.array([[2, 0.5, 0.1], [0.5, 1.5, -0.3], [0.1, -0.3, 1]])\nf = lambda x: np.linalg.slogdet(x)[1]",
        wrong="def grad(x):\n    S = np.linalg.inv(x)\n    return S + S.T - np.diag(np.diag(S))",
        right="grad = lambda x: np.linalg.inv(x)",
        remedy="x[i, j] and x[j, i] each have their own entry of the gradient, and move together on the set. The doubled form is "
        "the derivative by one triangle; for that, let f take the triangle.",
        keys=("factor",),
        options="on='spd'",
    ),
    DiagnosisKind.NOT_PROJECTED: Entry(
        meaning="The derivative by the entries of x is claimed where one tangent to the set is asked for: it was not projected, "
        "or an entry that follows from the others was held fixed.",
        given="x0 = c / np.linalg.norm(c)\nf = lambda x: np.sum(A @ x)",
        wrong="grad = lambda x: A.sum(axis=0)",
        right="def grad(x):\n    g = A.sum(axis=0)\n    return g - x * (x @ g)",
        remedy="Project onto the tangent space; in another metric, turn the derivative into the gradient first. If the "
        "derivative by entries is what is claimed, leave riemannian out: its normal part is free then.",
        keys=("form",),
        sometimes=("term", "coefficient"),
        options="on='sphere', riemannian=True",
    ),
    DiagnosisKind.LEFT_FOR_RIGHT: Entry(
        meaning="The derivative by a perturbation from the other side is claimed, or the adjoint between the two was applied the "
        "wrong way round.",
        given="t = 0.7\nx0 = np.array([[np.cos(t), -np.sin(t), 0], [np.sin(t), np.cos(t), 0], [0, 0, 1.0]])\n"
        "p = c[:3]\nf = lambda R: (R @ p)[0]",
        wrong="grad = lambda R: np.cross(R @ p, [1, 0, 0])  # of exp([ω]×) R",
        right="grad = lambda R: np.cross(p, R[0])  # of R exp([ω]×)",
        remedy="A derivative by a perturbation from the left is the adjoint (for rotations R itself) times that from the right. "
        "See which of the two the optimiser applies its step by.",
        keys=("form", "map"),
        options="on='SO3', claimed='right'",
    ),
    DiagnosisKind.SCALED_TANGENT: Entry(
        meaning="The derivative is by tangents of another length than is asked for: half angles, degrees, fractions of a period.",
        given="x0 = np.array([0.5, 0.5, -0.1, 0.7])\n"
        "f = lambda q: q @ c[:4]\nB = lambda q: np.array([[-q[1], -q[2], -q[3]], [q[0], -q[3], q[2]], [q[3], q[0], -q[1]], "
        "[-q[2], q[1], q[0]]])",
        wrong="grad = lambda q: c[:4] @ B(q)  # q∘(0, ω), which turns by 2ω",
        right="grad = lambda q: c[:4] @ B(q) / 2  # q∘exp(ω/2)",
        remedy="A unit quaternion turns by twice the angle between it and 1. Compare the length of the tangents with that of the "
        "steps that are taken.",
        keys=("factor",),
        sometimes=("part",),
        options="on='quaternion', claimed='right'",
    ),
    DiagnosisKind.OTHER_FORM: Entry(
        meaning="The claim is right in another form than it is read in: a gradient in another metric, other parameters, or these "
        "in another order.",
        given="x0 = np.array([[2, 0.5, 0.1], [0.5, 1.5, -0.3], [0.1, -0.3, 1]])\nf = lambda x: np.sum(c[:3] * np.diag(x))",
        wrong="grad = lambda P: P @ np.diag(c[:3]) @ P  # in the affine-invariant metric",
        right="grad = lambda P: np.diag(c[:3])",
        remedy="Say which form is meant: claimed='riemannian:affine' and the like; the report names those that there are.",
        keys=("form",),
        options="on='spd'",
    ),
    DiagnosisKind.READS_TRIANGLE: Entry(
        meaning="f of a symmetric matrix reads one of its triangles, as a Cholesky factorisation does, and the claim is "
        "the symmetric derivative: each entry beside the diagonal counts double in one triangle, and not at all in the other.",
        given="x0 = np.array([[2, 0.5, 0.1], [0.5, 1.5, -0.3], [0.1, -0.3, 1]])\n"
        "f = lambda x: 2 * np.sum(np.log(np.diag(np.linalg.cholesky(x))))",
        wrong="grad = lambda x: np.linalg.inv(x)",
        right="def grad(x):\n    G = np.linalg.inv(x)\n    return np.tril(G + G.T) - np.diag(np.diag(G))",
        remedy="Along symmetric changes of x both are right. Claim the triangle, or check f of the symmetric part of x, "
        "f((x + x.T) / 2), against the symmetric claim.",
        keys=("triangle",),
        place=True,
    ),
    DiagnosisKind.DIAGONAL_ONLY: Entry(
        meaning="Nothing but the diagonal of a Hessian is filled.",
        given="f = lambda x: np.sum(x**3) + (c @ x) ** 2",
        wrong="hess = lambda x: np.diag(6 * x + 2 * c**2)  # f has mixed derivatives too",
        right="hess = lambda x: np.diag(6 * x) + 2 * np.outer(c, c)",
        remedy="np.diag(h) holds ∂²f/∂x_i² alone; the mixed derivatives ∂²f/∂x_i∂x_j belong beside it.",
        keys=("part",),
    ),
    DiagnosisKind.CONJUGATED: Entry(
        meaning="The derivative by a complex variable is the complex conjugate of what it must be, as a whole or for some "
        "entries. Frameworks differ in what they call the gradient: PyTorch returns ∂f/∂x + i ∂f/∂y, JAX ∂f/∂x − i ∂f/∂y.",
        given=COMPLEX,
        wrong="grad = lambda z: 2 * A.T @ np.conj(A @ z - b)",
        right="grad = lambda z: 2 * A.T @ (A @ z - b)",
        remedy="A claim that keeps to one convention passes, and the report names it, unless --convention demands another. "
        "Where some entries alone are conjugated, two conventions are mixed: look at what comes from another framework.",
        keys=("convention",),
        sometimes=("factor", "indices"),
        options=STEEPEST,
    ),
    DiagnosisKind.HALF: Entry(
        meaning="The derivative by a complex variable is half of what it must be: ∂f/∂z or ∂f/∂z̄ in place of the gradient.",
        given=COMPLEX,
        wrong="grad = lambda z: A.T @ (A @ z - b)  # ∂f/∂z̄",
        right="grad = lambda z: 2 * A.T @ (A @ z - b)",
        remedy="Wirtinger's derivatives have a factor ½ that ∂f/∂x ± i ∂f/∂y has not. Multiply by 2, or say which is meant: "
        "--convention wirtinger or wirtinger_conjugate.",
        keys=("convention", "factor"),
        sometimes=("indices",),
        options=STEEPEST,
    ),
    DiagnosisKind.REAL_PART_ONLY: Entry(
        meaning="The derivative by a complex variable lacks its imaginary part.",
        given=COMPLEX,
        wrong="grad = lambda z: (2 * A.T @ (A @ z - b)).real",
        right="grad = lambda z: 2 * A.T @ (A @ z - b)",
        remedy="Look for .real, and for an array made without dtype=complex into which complex numbers are written. If the "
        "derivative by the real part is all that is meant, say --convention real_part.",
        keys=("convention",),
        sometimes=("indices",),
        options=STEEPEST,
    ),
    DiagnosisKind.SWAPPED_PARTS: Entry(
        meaning="Real and imaginary part of the derivative by a complex variable stand in each other's place.",
        given=COMPLEX,
        wrong="def grad(z):\n    g = 2 * A.T @ (A @ z - b)\n    return g.imag + 1j * g.real",
        right="grad = lambda z: 2 * A.T @ (A @ z - b)",
        remedy="Look for the line that makes a complex number of two real ones.",
        keys=("convention",),
        sometimes=("indices",),
    ),
    DiagnosisKind.UNEXPLAINED: Entry(
        meaning="No known mistake explains it. The message says how many entries are wrong, the range of numeric / "
        "claimed, where the largest gap is and the cosine between claimed and numeric values.",
        given="f = lambda x: np.sum(np.sin(A @ x))",
        wrong="grad = lambda x: A.T @ np.sin(A @ x)  # the derivative of the sine is not taken",
        right="grad = lambda x: A.T @ np.cos(A @ x)",
        remedy="Check one term of f at a time; name a term that may be missing with --suspect; try a smaller x "
        "(--dim 2), where the formula can be followed by hand. A cosine near 1 speaks for a factor that "
        "varies, near 0 for another function.",
        keys=("cosine", "ratio", "relative_gap", "one_sided", "known", "largest"),
    ),
}
