"""What names, tags and people who reach the web UI must not be able to do; docs/explanation/security.md lists it."""
