import numpy as np
import pytest
from springs import chain, compiled


@pytest.mark.parametrize("module", [chain, compiled])
@pytest.mark.parametrize("n", [2, 5])
def test_force(gradcheck, module, n):
    gradcheck(module.energy, module.force, np.linspace(-1.0, 2.0, n))


@pytest.mark.gradcheck(rtol=1e-5)
def test_stiffness(gradcheck):
    gradcheck.hessian(chain.energy, chain.stiffness, np.linspace(-1.0, 2.0, 5), grad=chain.force)


def test_forgotten_factor(gradcheck):
    gradcheck(chain.energy, chain.force_without_its_factor, np.linspace(-1.0, 2.0, 5))
