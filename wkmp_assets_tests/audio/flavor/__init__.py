"""Tests of flavors: their arithmetic, what is measured, and what it is good for."""
