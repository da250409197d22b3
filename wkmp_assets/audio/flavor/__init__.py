"""The characteristics of a passage, measured from its PCM. docs/reference/flavor.md has the formulas."""
