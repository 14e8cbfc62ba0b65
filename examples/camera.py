"""A camera with the pose T: where it sees four points of the world, and the derivative by T.

With X = R p + t the image is (X₁, X₂)/X₃.  By a perturbation from the left, exp(ρ, ω) T, X moves by ρ + ω × X, so that the
derivative of X is (1, −[X]×); by one from the right, T exp(ρ, ω), it is R (1, −[p]×).

    gradcheck examples/camera.py:image --jac examples/camera.py:jac --on SE3 --claimed left --point examples/camera.py:T0 # exit 0
    gradcheck examples/camera.py:image --jac examples/camera.py:jac_right --on SE3 --claimed right --point examples/camera.py:T0 # exit 0

The classic mistake takes one for the other.  Where T is the identity it cannot be seen, and the report warns of that:

    gradcheck examples/camera.py:image --jac examples/camera.py:jac --on SE3 --claimed right --point examples/camera.py:T0 # exit 1
    gradcheck examples/camera.py:image --jac examples/camera.py:jac --on SE3 --claimed right --point examples/camera.py:identity # exit 0
"""
# ruff: noqa: E501

from __future__ import annotations

import numpy as np

WORLD = np.array([[0.5, -0.3, 4.0], [-1.0, 0.4, 5.0], [0.2, 1.1, 6.0], [0.8, 0.9, 3.5]])
c, s = np.cos(0.3), np.sin(0.3)
T0 = np.array([[c, 0, s, 0.4], [0, 1, 0, -0.2], [-s, 0, c, 0.7], [0, 0, 0, 1]])
identity = np.eye(4)


def cross_matrix(v):
    return np.array([[0, -v[2], v[1]], [v[2], 0, -v[0]], [-v[1], v[0], 0]])


def image(T):
    X = WORLD @ T[:3, :3].T + T[:3, 3]
    return (X[:, :2] / X[:, 2:]).ravel()


def of_point(X):
    """The derivative of the image by X."""
    return np.array([[1, 0, -X[0] / X[2]], [0, 1, -X[1] / X[2]]]) / X[2]


def jac(T):
    seen = WORLD @ T[:3, :3].T + T[:3, 3]
    return np.concatenate([of_point(X) @ np.hstack([np.eye(3), -cross_matrix(X)]) for X in seen])


def jac_right(T):
    R = T[:3, :3]
    return np.concatenate([of_point(R @ p + T[:3, 3]) @ R @ np.hstack([np.eye(3), -cross_matrix(p)]) for p in WORLD])
