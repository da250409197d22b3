"""The whole at work: end to end, faults, security, corpus, fuzz, browser."""
