"""Musical flavor: its vector and arithmetic, and the characteristics measured from spectrogram.

Knows neither Dagster nor the library.
"""
