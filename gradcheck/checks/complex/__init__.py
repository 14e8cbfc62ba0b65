"""Checks by complex variables: what "the gradient" means, measured; products; the complex step."""
