"""Tests of what one file sounds like, on audio made in the test."""
