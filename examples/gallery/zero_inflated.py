"""statsmodels: the Hessian of a zero-inflated Poisson model has a block of zeros where the two parts meet."""

import numpy as np
from statsmodels.discrete.count_model import ZeroInflatedPoisson

rng = np.random.default_rng(0)
x = np.column_stack([np.ones(80), rng.normal(size=80)])
counts = np.where(rng.random(80) < 0.3, 0, rng.poisson(np.exp(x @ [0.5, 0.3])))
model = ZeroInflatedPoisson(counts, x, exog_infl=x)

f, score, hessian = model.loglike, model.score, model.hessian
