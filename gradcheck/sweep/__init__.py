"""The derivatives of a package whose names pair up with those of functions, found without running anything of its users."""
