"""Musical flavor: its vector and arithmetic, and the characteristics measured from sound.

Knows neither Dagster nor the library.
"""
