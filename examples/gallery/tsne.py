"""scikit-learn: the gradient of t-SNE in three dimensions is not that of the divergence which is returned beside it."""

import numpy as np
from sklearn.manifold import _t_sne

SAMPLES, COMPONENTS = 12, 3
rng = np.random.default_rng(0)
P = rng.random(SAMPLES * (SAMPLES - 1) // 2)
P /= 2 * P.sum()  # joint probabilities, each pair once


def divergence_and_gradient(embedding: np.ndarray) -> tuple[float, np.ndarray]:
    """The Kullback-Leibler divergence, with COMPONENTS − 1 degrees of freedom as `TSNE` has it, and its gradient."""
    return _t_sne._kl_divergence(embedding, P, COMPONENTS - 1, SAMPLES, COMPONENTS)
