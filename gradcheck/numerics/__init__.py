"""The mathematics: arrays and plain callables in, arrays out; no I/O and no knowledge of user code."""
