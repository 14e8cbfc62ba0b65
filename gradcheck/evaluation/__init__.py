"""The only place that calls user code: it copies, checks, counts, times and chooses the engine."""
