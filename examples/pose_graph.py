"""One edge of a pose graph: how far the pose B, seen from A, is from the measured one, Z.

With E = Z⁻¹ A⁻¹ B the residual is (t, φ), its translation and its rotation vector.  By perturbations from the right, B exp(ξ)
and A exp(ξ), the derivatives are J = diag(R, Jᵣ⁻¹(φ)) and −J Ad(B⁻¹A), where Jᵣ is the right Jacobian of rotations.

    gradcheck examples/pose_graph.py:residual --jac examples/pose_graph.py:jac --var A=4x4 --var B=4x4 --on A=SE3 --on B=SE3 # exit 0

The classic mistakes: a derivative by perturbations from the left, exp(ξ) B, for one from the right; the adjoint of the inverse;
and Jᵣ taken for 1, which looks right where the residual is 0:

    gradcheck examples/pose_graph.py:from_a --jac examples/pose_graph.py:jac_left --on SE3 --claimed right # exit 1
    gradcheck examples/pose_graph.py:residual --jac examples/pose_graph.py:jac_with_adjoint_of_inverse --var A=4x4 --var B=4x4 --on A=SE3 --on B=SE3 # exit 1
    gradcheck examples/pose_graph.py:from_a --jac examples/pose_graph.py:jac_small_angles --on SE3 # exit 1
    gradcheck examples/pose_graph.py:from_a --jac examples/pose_graph.py:jac_small_angles --point examples/pose_graph.py:solved --on SE3 # exit 0
"""
# ruff: noqa: E501

from __future__ import annotations

import numpy as np


def cross_matrix(v):
    return np.array([[0, -v[2], v[1]], [v[2], 0, -v[0]], [-v[1], v[0], 0]])


def pose(turn, way):
    out = np.eye(4)
    out[:3, :3], out[:3, 3] = turn, way
    return out


def inverse(T):
    return pose(T[:3, :3].T, -T[:3, :3].T @ T[:3, 3])


def adjoint(T):
    """Of (ρ, ω): T exp(ξ) = exp(Ad ξ) T."""
    R = T[:3, :3]
    return np.block([[R, cross_matrix(T[:3, 3]) @ R], [np.zeros((3, 3)), R]])


def rotation_vector(R):
    sine = np.array([R[2, 1] - R[1, 2], R[0, 2] - R[2, 0], R[1, 0] - R[0, 1]]) / 2
    angle = np.arctan2(np.linalg.norm(sine), (np.trace(R) - 1) / 2)
    return sine / np.sinc(angle / np.pi)


def inverse_right_jacobian(phi):
    """1 + ½ [φ]× + (1/θ² − (1 + cos θ) / (2 θ sin θ)) [φ]×²."""
    angle, cross = np.linalg.norm(phi), cross_matrix(phi)
    factor = 1 / 12 if angle < 1e-4 else 1 / angle**2 - (1 + np.cos(angle)) / (2 * angle * np.sin(angle))
    return np.eye(3) + cross / 2 + factor * cross @ cross


c, s = np.cos(0.4), np.sin(0.4)
Z = pose(np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]), np.array([1.0, 0.2, -0.1]))
A0 = pose(np.array([[0.6, 0, 0.8], [0, 1, 0], [-0.8, 0, 0.6]]), np.array([0.3, -1.0, 2.0]))


def residual(A, B):
    E = inverse(Z) @ inverse(A) @ B
    return np.concatenate([E[:3, 3], rotation_vector(E[:3, :3])])


def by_b(A, B):
    E = inverse(Z) @ inverse(A) @ B
    out = np.zeros((6, 6))
    out[:3, :3], out[3:, 3:] = E[:3, :3], inverse_right_jacobian(rotation_vector(E[:3, :3]))
    return out


def jac(A, B):
    return {"A": -by_b(A, B) @ adjoint(inverse(B) @ A), "B": by_b(A, B)}


def jac_with_adjoint_of_inverse(A, B):
    return {"A": -by_b(A, B) @ adjoint(inverse(A) @ B), "B": by_b(A, B)}


def from_a(B):
    """The residual where A is known."""
    return residual(A0, B)


def jac_left(B):
    return by_b(A0, B) @ adjoint(inverse(B))


def jac_small_angles(B):
    E = inverse(Z) @ inverse(A0) @ B
    out = np.eye(6)
    out[:3, :3] = E[:3, :3]
    return out


solved = A0 @ Z
