"""statsmodels: the score of a factor model has the wrong sign where the root of a uniqueness, its parameter, is negative."""

import numpy as np
from statsmodels.multivariate.factor import Factor

rng = np.random.default_rng(0)
loadings = rng.normal(size=(5, 2))
covariance = loadings @ loadings.T + np.diag(rng.uniform(0.5, 1.5, size=5))
scale = np.sqrt(np.diag(covariance))
model = Factor(corr=covariance / np.outer(scale, scale), n_factor=2, nobs=100, method="ml")

f, score = model.loglike, model.score
point = np.concatenate([[0.5, -0.6, 0.7, -0.8, 0.9], rng.uniform(0.3, 0.6, size=10)])
