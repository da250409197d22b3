"""Real files, damaged at random and on purpose, through the whole import: `make fuzz`, and a few in the tests."""
