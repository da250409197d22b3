"""Everything that uses Dagster: assets, checks, IO managers, resources, jobs, sensors, schedules and run requests."""
