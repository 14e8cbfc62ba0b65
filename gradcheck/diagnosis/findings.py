"""What each finding about the functions themselves means, with an example wrong and right, and what to do about it.

The examples may use what those of `diagnoses` may, and scipy.sparse as sparse; a function named value_and_grad returns both.
"""

from __future__ import annotations

from gradcheck.diagnosis.diagnoses import Entry
from gradcheck.model import FindingKind

FINDINGS = {
    FindingKind.MUTATES_INPUT: Entry(
        meaning="The function writes into its argument.",
        given="grad = lambda x: 2 * (x - x.mean())",
        wrong="def f(x):\n    x -= x.mean()\n    return x @ x",
        right="def f(x):\n    x = x - x.mean()\n    return x @ x",
        remedy="The caller's point is changed behind its back: an optimiser's next step starts from elsewhere. Let "
        "the function work on a copy; x = x - y makes one, x -= y does not.",
    ),
    FindingKind.REUSES_BUFFER: Entry(
        meaning="It returns the same array, or a view of one, at every call: an earlier result changes under the "
        "caller's hands.",
        given="f = lambda x: x @ x\nbuffer = np.empty(6)",
        wrong="grad = lambda x: np.multiply(x, 2, out=buffer)",
        right="grad = lambda x: 2 * x",
        remedy="Return a new array. An optimiser that keeps the last gradient, as quasi-Newton methods do, sees a "
        "difference of 0.",
    ),
    FindingKind.NON_DETERMINISTIC: Entry(
        meaning="Two calls at one point differ.",
        given="grad = lambda x: 2 * x",
        wrong="rng = np.random.default_rng()\nf = lambda x: x @ x + 1e-3 * rng.normal()",
        right="f = lambda x: x @ x + 1e-3 * np.random.default_rng(0).normal()",
        remedy="Fix the seed inside the function, so that each call draws the same numbers; else f is judged by its "
        "noise, and only a large mistake can be seen.",
    ),
    FindingKind.ORDER_DEPENDENT: Entry(
        meaning="The result depends on what was called before: a cache without its key, or a solver that starts from its last "
        "result.",
        given='kept = {}\n\n\ndef f(x):\n    kept["r"] = A @ x - b\n    return kept["r"] @ kept["r"]',
        wrong='grad = lambda x: 2 * A.T @ kept["r"]  # of wherever f was called last',
        right="grad = lambda x: 2 * A.T @ (A @ x - b)",
        remedy="Right where f has just been called at the same x, and wrong in a line search. Key what is kept on x, "
        "or compute it anew; let a solver start from the same guess at every call (x0, init), without warm start.",
    ),
    FindingKind.VALUE_MISMATCH: Entry(
        meaning="The value returned beside the gradient is not that of f.",
        given="f = lambda x: x @ x / 2",
        wrong="value_and_grad = lambda x: (x @ x, x)",
        right="value_and_grad = lambda x: (x @ x / 2, x)",
        remedy="Let one of the two call the other, so that there is one formula.",
    ),
    FindingKind.NON_FINITE: Entry(
        meaning="NaN or infinity is returned at the point.",
        given="grad = lambda x: np.exp(1000 * x - np.max(1000 * x)) / np.sum(np.exp(1000 * x - np.max(1000 * x))) * 1000",
        wrong="f = lambda x: np.log(np.sum(np.exp(1000 * x)))",
        right="f = lambda x: np.max(1000 * x) + np.log(np.sum(np.exp(1000 * x - np.max(1000 * x))))",
        remedy="Write the formula so that it does not overflow, or check at a point inside the domain: --bounds, "
        "--point.",
    ),
    FindingKind.WRONG_SHAPE: Entry(
        meaning="The value does not have the shape that it must have: the shape of x for a gradient, one number for f.",
        given="f = lambda x: x @ x",
        wrong="grad = lambda x: 2 * x.sum()",
        right="grad = lambda x: 2 * x",
        remedy="Look for a sum too many, a broadcast of (n,) with (n, 1), or a function that returns its terms "
        "instead of their sum. Where the numbers can be told nevertheless, as in a column (n, 1), a flat Hessian or a "
        "transposed Jacobian, they are compared; but x - 0.1 * grad(x) would be n × n.",
    ),
    FindingKind.WRONG_DTYPE: Entry(
        meaning="The value is no real number, or no array of them; or a derivative, or the point, is an array of integers.",
        given="f = lambda x: x @ x",
        wrong="def grad(x):\n    g = np.zeros(6, dtype=int)\n    g[:] = 2 * x  # what is behind the point is lost\n    return g",
        right="def grad(x):\n    g = np.zeros(6)\n    g[:] = 2 * x\n    return g",
        remedy="Return an array of float64 or float32, or for a matrix anything with @ or matvec. Look for np.zeros_like of "
        "integers, for dtype=int and for //; a point of integers is taken as float64.",
    ),
    FindingKind.LOW_PRECISION: Entry(
        meaning="There is float32 inside a float64 function.",
        given="grad = lambda x: 2 * x",
        wrong="f = lambda x: np.sum(np.float32(x) ** 2)",
        right="f = lambda x: np.sum(x**2)",
        remedy="Look for np.float32, for data read in single precision, and for libraries whose default it is. Only "
        "five of sixteen digits of the gradient can be checked through such a function.",
    ),
    FindingKind.IGNORES_INPUT: Entry(
        meaning="f does not depend on some entry, or on any.",
        given="grad = lambda x: np.append(0, 2 * x[1:])",
        wrong="f = lambda x: x[1:] @ x[1:]  # x[0] was forgotten",
        right="f = lambda x: x[0] ** 2 + x[1:] @ x[1:]\ngrad = lambda x: 2 * x",
        remedy="Claim and f agree there, on 0; ask whether f should depend on that entry.",
    ),
    FindingKind.KINK: Entry(
        meaning="f has a kink at the point: the derivatives from the left and from the right differ, and no gradient "
        "exists.",
        given="x0 = np.array([0.0, 1.0, 2.0, 3.0, 4.0, 5.0])\ngrad = lambda x: x / np.sqrt(x**2 + 1e-2)",
        wrong="f = lambda x: np.sum(np.abs(x))",
        right="f = lambda x: np.sum(np.sqrt(x**2 + 1e-2))",
        remedy="Choose another point (--seed, --point), or a smooth function. The report gives both one-sided "
        "derivatives, and whether the claim lies between them, as a subgradient does.",
    ),
    FindingKind.JUMP: Entry(
        meaning="f jumps at or near the point, and no gradient exists.",
        given="x0 = np.array([1.0, 2.5, 3.5, 0.5, 4.5, 5.5])\ngrad = lambda x: 2 * x",
        wrong="f = lambda x: np.sum(x**2 + np.floor(x))",
        right="f = lambda x: np.sum(x**2)",
        remedy="Choose another point (--seed, --point). Rounding, comparisons and integer casts inside f make jumps, "
        "and so does a table.",
    ),
    FindingKind.STEPS: Entry(
        meaning="f has steps near the point, as an iteration that stops at a tolerance, an adaptive solver or a table gives it.",
        given="def newton(t, tol):\n    z = 1.0\n    while abs(z**3 + z - t) > tol:\n"
        "        z -= 0.3 * (z**3 + z - t) / (3 * z**2 + 1)\n    return z\n\n\n"
        "grad = lambda x: np.array([1 / (3 * newton(t, 1e-13) ** 2 + 1) for t in x])",
        wrong="f = lambda x: sum(newton(t, 1e-5) for t in x)",
        right="f = lambda x: sum(newton(t, 1e-13) for t in x)",
        remedy="Differences see the derivative of one piece between two steps. Lower the tolerance of the solver (tol, rtol), "
        "raise its bound on iterations (maxiter) where it ends by that, or let it make a fixed number of steps; --knob NAME "
        "shows whether the gap between claim and differences falls, and passes a claim that is right up to it.",
    ),
    FindingKind.DOMAIN_EDGE: Entry(
        meaning="f has values on one side of the point only; differences are one-sided.",
        given="x0 = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])\ngrad = lambda x: 1.5 * np.sqrt(x - 1)",
        wrong="f = lambda x: np.sum(np.sqrt(x - 1) ** 3)  # x0[0] is at the edge",
        right="f = lambda x: np.sum(np.sqrt(x) ** 3)\ngrad = lambda x: 1.5 * np.sqrt(x)",
        remedy="Choose a point inside (--point, --bounds); f must return NaN or raise outside of its domain.",
    ),
    FindingKind.NOT_SYMMETRIC: Entry(
        meaning="A Hessian, or products with one, are not symmetric.",
        given="f = lambda x: x @ M @ x",
        wrong="hvp = lambda x, v: 2 * M @ v",
        right="hvp = lambda x, v: (M + M.T) @ v",
        remedy="Second derivatives do not depend on their order: ⟨u, Hv⟩ = ⟨Hu, v⟩ for any u and v. Look for a "
        "transpose.",
    ),
    FindingKind.NOT_TANGENT: Entry(
        meaning="A derivative that is claimed to be Riemannian is not tangent to the set on which x lives.",
        given="x0 = c / np.linalg.norm(c)\nf = lambda x: np.sum(A @ x)",
        wrong="grad = lambda x: A.sum(axis=0)",
        right="def grad(x):\n    g = A.sum(axis=0)\n    return g - x * (x @ g)",
        remedy="Project onto the tangent space, or leave riemannian out.",
        options="on='sphere', riemannian=True",
    ),
    FindingKind.NOT_INVARIANT: Entry(
        meaning="f changes along an orbit on which it is said not to.",
        given="grad = lambda x: 3 * x**2",
        wrong="f = lambda x: np.sum(x**3) + 1e-3 * x[0]",
        right="f = lambda x: np.sum(x**3)",
        remedy="Fix f first, or the orbit: what a gradient by a gauge must be is 0, and a wrong f makes it something else.",
        options="invariant=lambda x: np.roll(x, 1)",
    ),
    FindingKind.NOT_LINEAR: Entry(
        meaning="Products with a derivative are not linear in their vector.",
        given="f = lambda x: x @ M @ x",
        wrong="hvp = lambda x, v: (M + M.T) @ (x + v)",
        right="hvp = lambda x, v: (M + M.T) @ v",
        remedy="H(2u − 3v) = 2Hu − 3Hv for any u and v. Look for the place where x is meant and v is used, or the "
        "reverse.",
    ),
    FindingKind.NOT_ADJOINT: Entry(
        meaning="jvp and vjp are not transposes of each other: ⟨u, Jv⟩ is not ⟨Jᵀu, v⟩.",
        given="func = lambda x: np.sin(M @ x)\njvp = lambda x, v: np.cos(M @ x) * (M @ v)",
        wrong="vjp = lambda x, u: np.cos(M @ x) * (M @ u)",
        right="vjp = lambda x, u: M.T @ (np.cos(M @ x) * u)",
        remedy="In the transposed product each factor is transposed, and their order is turned round.",
    ),
    FindingKind.OUTSIDE_PATTERN: Entry(
        meaning="There are derivatives where the sparsity pattern of the claim says there are none.",
        given="func = lambda x: x**2 + np.append(0, x[:-1])",
        wrong="jac = lambda x: sparse.diags_array(2 * x)  # the diagonal alone is stored",
        right="jac = lambda x: sparse.diags_array([2 * x, np.ones(5)], offsets=[0, -1])",
        remedy="Differences of columns that share no row of the pattern are taken together, so that what lies "
        "outside is added to another entry. Add the entries to the pattern.",
    ),
    FindingKind.NOT_HOLOMORPHIC: Entry(
        meaning="A function of complex variables with complex values is not holomorphic: ∂f/∂z̄ is not 0, so that no complex "
        "number f′ with df = f′ dz is its derivative.",
        given="x0 = x0 + 1j * x0[::-1]\njac = lambda z: np.diag(2 * z)",
        wrong="func = lambda z: z * np.conj(z)",
        right="func = lambda z: z * z",
        remedy="Look for conj, abs, real, imag and angle. The derivative of such a function has two parts, ∂f/∂z and ∂f/∂z̄: "
        "check products with it (--jvp, --vjp), or the function of real and imaginary parts.",
    ),
    FindingKind.VACUOUS: Entry(
        meaning="A trivial claim would pass as well: 0, a constant, x itself, half of the claim, the claim with its sign "
        "turned or at another point; as a whole, or for a part of the variables.",
        given="f = lambda x: np.sum(np.maximum(0, x - edge) ** 2)\ngrad = lambda x: 2 * np.maximum(0, x - edge)",
        wrong="edge = 9.0  # no entry of x0 is beyond it: f is 0 around the point",
        right="edge = 0.0",
        remedy="The claim agrees, and the check says little: all data are 0, a unit is saturated, the point is the "
        "solution, atol is larger than the gradient. The message says which; --points 3 checks elsewhere as well, and "
        "--strict makes such a PASS inconclusive.",
    ),
    FindingKind.SPECIAL_POINT: Entry(
        meaning="The point is one at which mistakes do not show: all zeros, all equal, the identity, stationary, at a "
        "bound, a batch of one.",
        given="f = lambda x: np.sum(np.exp(x)) + x @ M @ x\ngrad = lambda x: np.exp(x) + (M + M.T) @ x",
        wrong="x0 = np.zeros(6)  # the second term of grad is 0 here, whatever stands there",
        right="x0 = np.linspace(-1, 1, 6)",
        remedy="Check at other points as well, --points 3, or choose another one: --point, --dim with a --seed.",
    ),
    FindingKind.CLAIM_IS_DIFFERENCE: Entry(
        meaning="The claim is a finite difference of f itself: it calls f at points around x.",
        given="f = lambda x: np.sum(np.exp(x))\nsteps = 1e-6 * np.eye(6)",
        wrong="grad = lambda x: np.array([(f(x + h) - f(x)) / 1e-6 for h in steps])",
        right="grad = lambda x: np.exp(x)",
        remedy="Two differences are compared, and there is no formula to check. The verdict is about how exact the claim is: "
        "the message gives by how much it is off. A library may fall back to differences where it was given no derivative.",
    ),
    FindingKind.DISCRETISATION_GAP: Entry(
        meaning="Claim and f differ, but by less and less as the solver inside is made more exact: the claim is the derivative "
        "of the problem that f solves, not of the steps by which it does; it is looked for with knob alone.",
        given="def f(x, cells=50):\n    s = (np.arange(cells) + 0.5) / cells\n"
        "    return np.sum(np.exp(np.outer(s, x))) / cells",
        wrong="def grad(x, cells=50):\n    s = np.arange(1, cells + 1) / cells  # by the right ends, f by the midpoints\n"
        "    return s @ np.exp(np.outer(s, x)) / cells",
        right="def grad(x, cells=50):\n    s = (np.arange(cells) + 0.5) / cells\n"
        "    return s @ np.exp(np.outer(s, x)) / cells",
        remedy="Nothing is wrong, but an optimiser that asks for more digits than the gap leaves does not converge. Make the "
        "solver as exact as the message says, or differentiate the steps themselves (the discrete adjoint).",
        options='knob="cells"',
    ),
    FindingKind.NEVER_RAN: Entry(
        meaning="Lines of f or of the claim ran at no point of the check; it is looked for with reach alone.",
        given="f = lambda x: x @ x",
        wrong="def grad(x):\n    if x.size > 1000:\n        return 3 * x\n    return 2 * x",
        right="grad = lambda x: 2 * x",
        remedy="What stands in these lines is not tested. Check at a point that runs them, or with data that do: --point, "
        "--args. Lines that only raise are not counted.",
        options="reach=True",
    ),
    FindingKind.USER_ERROR: Entry(
        meaning="Your code raised, or returned something that is no number.",
        given="f = lambda x: x @ x",
        wrong="grad = lambda x: 2 * y",
        right="grad = lambda x: 2 * x",
        remedy="The report has the traceback, without the frames of gradcheck; --verbose shows it whole.",
    ),
}
