"""What each library calls its functions and derivatives: a module a library, a row an entry point."""
