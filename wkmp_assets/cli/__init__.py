"""The `wkmp` command: arguments in, text out."""
