"""Beads on springs: a project that checks its derivatives with gradcheck."""
