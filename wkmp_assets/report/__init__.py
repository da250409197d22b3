"""What people are shown of a library: metadata, tables, pictures and the report. It reads no disk and no network."""
