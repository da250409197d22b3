"""What several tests build on: values and files to import, and ways to look at a library."""
