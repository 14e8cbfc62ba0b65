"""The checks of a project: found, loaded, run one after another, repeated."""
