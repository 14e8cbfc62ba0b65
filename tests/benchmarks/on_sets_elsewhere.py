"""Three examples on sets, as other checkers see them: `python tests/benchmarks/on_sets_elsewhere.py`, where these are installed.

pymanopt 2.2.1, which needs NumPy before 2.4, checks f against its Taylor model along one random geodesic: its reader compares
the slope of the error with 2, or 3 with a Hessian, and looks whether a residual is near 0.  gtsam 4.3.0 differences a factor by
perturbations from the right, with the turn first; a test compares the matrices.
"""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np

import gradcheck
from examples import camera, covariance_fit, procrustes
from gradcheck.variables.sets.named import set_named

SLOPE = 0.1  # how far from 2 or 3 a slope is seen to be another one
NEAR = 1e-6  # a residual, or a gap between matrices, that is seen not to be rounding
SEEDS = 20  # directions that pymanopt is asked along


class Claim(NamedTuple):
    """A claim, whether it is right, and as what it is checked."""

    name: str
    right: bool
    claimed: Callable[[Any], Any]
    keywords: dict[str, Any]


def point(name: str, shape: tuple[int, ...]) -> Any:
    return set_named(name).draw(np.random.default_rng(3).standard_normal(shape))


def told(report: gradcheck.Report) -> str:
    """Verdict and diagnosis."""
    kinds = [diagnosis.kind.value for diagnosis in report.diagnoses]
    return f"{report.verdict.name}{f' {kinds[0]}' if kinds else ''} ({report.nfev} evaluations)"


# ---- pymanopt


def procrustes_claims() -> Iterator[Claim]:
    yield Claim("gradient", True, procrustes.grad_tangent, {"riemannian": True})
    yield Claim("gradient, not projected", False, procrustes.grad, {"riemannian": True})
    yield Claim("gradient, turns lost", False, procrustes.grad_without_turns, {"riemannian": True})
    yield Claim("gradient, off by 1e-4", False, lambda X: 1.0001 * procrustes.grad_tangent(X), {"riemannian": True})
    yield Claim("gradient, an entry off by 1e-4", False, one_entry_off, {"riemannian": True})


def one_entry_off(X: Any) -> Any:
    on = set_named("orthogonal")
    c = np.zeros(on.size_at(X))
    c[2] = 1e-4
    return procrustes.grad_tangent(X) + on.tangent(X, c)


def covariance_claims() -> Iterator[Claim]:
    affine = {"claimed": "riemannian:affine"}
    yield Claim("gradient", True, covariance_fit.grad_affine, affine)
    yield Claim("gradient by entries for it", False, covariance_fit.grad, affine)
    yield Claim("doubled beside the diagonal", False, lambda P: P @ covariance_fit.grad_doubled(P) @ P, affine)
    yield Claim("gradient, off by 1e-4", False, lambda P: 1.0001 * covariance_fit.grad_affine(P), affine)


def by_pymanopt(manifold: Any, f: Any, claim: Claim, x: Any, hessian: Any = None) -> str:
    """How many of its random directions show a slope or a residual that is not as it must be."""
    import pymanopt
    from pymanopt.tools.diagnostics import check_directional_derivative

    make = pymanopt.function.numpy(manifold)
    more = {} if hessian is None else {"riemannian_hessian": make(hessian)}
    problem = pymanopt.Problem(manifold, make(f), riemannian_gradient=make(claim.claimed), **more)
    seen, expected = 0, 2.0 if hessian is None else 3.0
    residual = np.linalg.norm(claim.claimed(x) - manifold.to_tangent_space(x, claim.claimed(x)))
    for seed in range(SEEDS):
        np.random.seed(seed)
        d = manifold.random_tangent_vector(x)
        with contextlib.redirect_stdout(io.StringIO()):
            *_, poly = check_directional_derivative(problem, x, d, use_quadratic_model=hessian is not None)
        seen += abs(poly[0] - expected) > SLOPE or residual > NEAR
    return f"{'taken for wrong' if seen else 'taken for right'} along {seen if seen else SEEDS} of {SEEDS} directions"


# ---- gtsam


def camera_claims() -> Iterator[Claim]:
    yield Claim("Jacobian", True, camera.jac_right, {"claimed": "right"})
    yield Claim("from the left for the right", False, camera.jac, {"claimed": "right"})
    yield Claim("Jacobian, off by 2e-5", False, lambda T: (1 + 2e-5) * camera.jac_right(T), {"claimed": "right"})


def by_gtsam(claim: Claim, T: Any) -> str:
    """The gap between the claimed matrix and its differences."""
    import gtsam
    from gtsam.utils.numerical_derivative import numericalDerivative11

    numeric = numericalDerivative11(lambda pose: camera.image(pose.matrix()), gtsam.Pose3(T))
    numeric = np.concatenate([numeric[:, 3:], numeric[:, :3]], axis=1)  # it has the turn first
    gap = np.abs(claim.claimed(T) - numeric).max() / np.abs(numeric).max()
    return f"largest gap {gap:.1e} of the largest entry"


def main() -> int:
    try:
        import pymanopt
        import pymanopt.manifolds as manifolds
    except ImportError:
        print("pymanopt is not installed; pip install pymanopt matplotlib gtsam")
        return 3
    print(f"pymanopt {pymanopt.__version__}")
    X = point("orthogonal", (5, 2))
    for claim in procrustes_claims():
        report = gradcheck.check_gradient(
            procrustes.f, claim.claimed, X, on="orthogonal", throw=False, **claim.keywords
        )
        other = by_pymanopt(manifolds.Stiefel(5, 2), procrustes.f, claim, X)
        print(f"Procrustes, {claim.name}: gradcheck {told(report)}; pymanopt {other}")
    for name, hess in (("Hessian", procrustes.hess), ("Hessian without the bend", procrustes.hess_without_bend)):
        claim = Claim(name, hess is procrustes.hess, procrustes.grad_tangent, {})

        def product(X: Any, V: Any, hess: Any = hess) -> Any:
            return (hess(X) @ V.ravel()).reshape(X.shape)

        report = gradcheck.check_hessian(
            procrustes.f, hess, X, grad=procrustes.grad_tangent, on="orthogonal", riemannian=True, throw=False
        )
        other = by_pymanopt(manifolds.Stiefel(5, 2), procrustes.f, claim, X, product)
        print(f"Procrustes, {name}: gradcheck {told(report)}; pymanopt {other}")
    P = point("spd", (4, 4))
    for claim in covariance_claims():
        report = gradcheck.check_gradient(covariance_fit.f, claim.claimed, P, on="spd", throw=False, **claim.keywords)
        other = by_pymanopt(manifolds.SymmetricPositiveDefinite(4), covariance_fit.f, claim, P)
        print(f"covariance, {claim.name}: gradcheck {told(report)}; pymanopt {other}")
    try:
        import gtsam  # noqa: F401
    except ImportError:
        print("gtsam is not installed")
        return 3
    for claim in camera_claims():
        report = gradcheck.check_jacobian(
            camera.image, claim.claimed, camera.T0, on="SE3", throw=False, **claim.keywords
        )
        print(f"camera, {claim.name}: gradcheck {told(report)}; gtsam {by_gtsam(claim, camera.T0)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
