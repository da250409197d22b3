"""The second moment: plan the rows to write, from an entry and what was read. Pure: no connection and no clock."""
