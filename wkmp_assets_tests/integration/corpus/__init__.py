"""Bad input of every kind, imported at once: what becomes of each file, and that nothing happens to the others."""
