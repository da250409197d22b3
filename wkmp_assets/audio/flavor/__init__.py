"""The characteristics of a passage, measured from its PCM by pure functions; docs/reference/flavor.md has the formulas."""
