"""What a run needs on its machine: workers, locks, claims, atomic files and the phase store."""
