"""statsmodels: the derivative of the generator of Frank's copula has the wrong sign."""

import numpy as np
from statsmodels.distributions.copula.transforms import TransfFrank

THETA = 2.0
generator = TransfFrank()


def f(t: np.ndarray) -> float:
    """The generator, summed over t."""
    return float(np.sum(generator.evaluate(t, THETA)))


def derivative(t: np.ndarray) -> np.ndarray:
    """What the class calls its derivative."""
    return generator.deriv(t, THETA)
