"""The third moment: write a batch in one transaction, and guard it against other writers."""
