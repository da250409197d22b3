"""From what the phases found and what the library holds to the rows of one write batch. No connection, no clock."""
