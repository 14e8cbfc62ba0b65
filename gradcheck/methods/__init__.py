"""The ways to compare a claim with f, as --method names them."""
