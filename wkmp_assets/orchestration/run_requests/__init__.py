"""Which runs the sensor and the schedules request, and when."""
