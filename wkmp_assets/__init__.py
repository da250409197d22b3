"""Import a folder of music into a WKMP library, one partition and one transaction per audio file.

Nothing happens at import time here: `definitions` assembles the code location, `cli` the `wkmp` command.
"""
