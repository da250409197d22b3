"""Every safety measure of the import, and the proof that a test fails when it is taken away."""
