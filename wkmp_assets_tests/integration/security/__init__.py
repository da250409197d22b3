"""Attacks by names, tags and people who reach the web UI fail; docs/explanation/security.md lists them."""
