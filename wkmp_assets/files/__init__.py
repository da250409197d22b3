"""Files on disk: finding them, naming them, hashing them, comparing them with what the library knows.

No audio, no SQL, no Dagster.
"""
