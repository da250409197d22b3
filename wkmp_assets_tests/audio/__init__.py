"""Tests of the package audio, on sound made in the test."""
