"""The pairs of function and derivative that a running program hands to its solvers, checked while it runs."""
