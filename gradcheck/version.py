"""The version, by itself: whoever wants only this imports nothing else."""

__version__ = "0.1.0"
