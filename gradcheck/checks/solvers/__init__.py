"""Checks of an f that is a solver, made more and more exact by its knob: the law by which the gap must fall."""
