"""The sound and the tags of one file: modules that decode and read it, and pure functions of what they deliver."""
