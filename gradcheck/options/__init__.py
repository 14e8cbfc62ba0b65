"""The options of gradcheck: one table of them, and what values they take."""
