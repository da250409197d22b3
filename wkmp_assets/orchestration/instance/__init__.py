"""Dagster's private API, all of it: event storage, run launcher, living runs."""
