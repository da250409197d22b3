"""The asset checks, one module per subject. They judge the library and the stored values, not a run's memory."""
