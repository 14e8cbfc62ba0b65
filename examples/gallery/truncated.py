"""statsmodels: the score of a truncated generalised Poisson model is wrong for p = 2, the parametrisation of "GP-2"."""

import numpy as np
from statsmodels.discrete.truncated_model import TruncatedLFGeneralizedPoisson

rng = np.random.default_rng(0)
x = np.column_stack([np.ones(80), rng.normal(size=80)])
model = TruncatedLFGeneralizedPoisson(rng.poisson(np.exp(x @ [0.5, 0.3])) + 1, x, p=2)

f, score = model.loglike, model.score
