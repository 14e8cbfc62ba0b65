"""The user's x and derivative as one flat real vector, and back, with the names of its entries."""
