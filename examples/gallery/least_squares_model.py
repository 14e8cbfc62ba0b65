"""statsmodels: the Hessian of ordinary least squares is half of what it should be at the fit, and lacks a term elsewhere."""

import numpy as np
import statsmodels.api as sm

rng = np.random.default_rng(0)
x = np.column_stack([np.ones(60), rng.normal(size=60)])
model = sm.OLS(x @ [0.5, 0.3] + rng.normal(size=60), x)

f, hessian = model.loglike, model.hessian
fit = model.fit().params
