"""Sets on which x may live: how far a point is off, a basis of the tangent space, and curves that stay on the set."""
