"""statsmodels: the second derivative of the generator of Gumbel's copula raises −1 to the power of θ."""

from statsmodels.distributions.copula.transforms import TransfGumbel

gumbel, theta = TransfGumbel(), 2.5


def derivative(t):
    return gumbel.deriv(t, theta)


def second_derivative(t):
    return gumbel.deriv2(t, theta)
