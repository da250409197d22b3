"""All that knows Dagster: assets, checks, IO managers, resources, jobs, sensors, schedules, and what they request."""
