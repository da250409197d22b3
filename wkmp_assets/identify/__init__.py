"""Which recording a passage is: candidates and evidence in, a match with its confidence out. Pure functions."""
