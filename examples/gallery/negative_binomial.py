"""statsmodels: before it is fitted, a negative binomial model has a Hessian by α and a log-likelihood in ln α."""

import numpy as np
from statsmodels.discrete.discrete_model import NegativeBinomial

rng = np.random.default_rng(0)
x = np.column_stack([np.ones(60), rng.normal(size=60)])
model = NegativeBinomial(rng.poisson(np.exp(x @ [0.3, 0.5])), x)

f, score, hessian = model.loglike, model.score, model.hessian
