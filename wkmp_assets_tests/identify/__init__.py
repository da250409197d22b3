"""Tests of identification."""
