"""Tests of the covers."""
