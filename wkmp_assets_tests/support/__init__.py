"""Common parts of several tests: values and files to import, and functions that read a library."""
