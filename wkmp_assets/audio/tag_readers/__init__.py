"""Readers of tags, one module for each kind of tag or container. Each yields the texts of what it finds, best first."""
