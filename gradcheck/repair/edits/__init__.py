"""The edits of the catalogue: functions from a place to new expressions for it, or from a block to new statements."""
