"""Work on other machines: what travels to a worker and back, and who has what in hand."""
