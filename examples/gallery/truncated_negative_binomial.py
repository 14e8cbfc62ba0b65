"""statsmodels: the score of a truncated negative binomial model is wrong for p = 1."""

import numpy as np
from statsmodels.discrete.truncated_model import TruncatedLFNegativeBinomialP

rng = np.random.default_rng(0)
x = np.column_stack([np.ones(80), rng.normal(size=80)])
model = TruncatedLFNegativeBinomialP(rng.poisson(np.exp(x @ [0.5, 0.3])) + 1, x, p=1)

f, score = model.loglike, model.score
