"""Which recording a passage is: lookups at the services, and pure functions for scoring, matching and joining."""
