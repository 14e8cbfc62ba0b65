"""Inputs that users brought and that once came out wrong: each with what must be said of it, and its twins."""
