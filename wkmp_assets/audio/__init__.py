"""What one audio file sounds like: decoding, levels, passages, fingerprints, lead points, tags.

No network, no database, no settings object: plain arguments in, values of `wkmp_assets.model` out. Exceptions
of the libraries underneath are translated here and never leave the package.
"""
