"""The command line: options in, streams and exit codes out.  The only importer of click."""
