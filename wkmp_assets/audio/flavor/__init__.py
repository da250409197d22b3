"""The characteristics of a passage, measured from its PCM by pure functions; docs/flavor.md has the formulas."""
