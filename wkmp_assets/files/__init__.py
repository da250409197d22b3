"""Music files on disk: find them, hash them, and compare them with what the library holds."""
