"""What a run needs on its machine: workers, locks, claims, files that are whole or absent, the phase store."""
