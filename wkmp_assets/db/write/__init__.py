"""The one write transaction per file, and everything that guards it."""
