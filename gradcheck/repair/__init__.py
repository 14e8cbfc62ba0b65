"""From the source of a wrong derivative to a verified patch."""
