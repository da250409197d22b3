"""Tests of the measured characteristics."""
