"""Bad input of every kind in one import: each file has the expected result and does not affect the others."""
