"""Tests of the library database."""
