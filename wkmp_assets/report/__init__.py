"""The library report: figures of what was imported, as one HTML page. Pure: what it shows is handed to it."""
