"""The jobs: scan the library, import its files."""

import dagster as dg

from wkmp_assets.model.phases import SCAN

scan_job = dg.define_asset_job("scan_library", selection=dg.AssetSelection.assets(SCAN))
"""Finds the audio files and registers a partition for each."""

import_job = dg.define_asset_job("import_files", selection=dg.AssetSelection.groups("import"))
"""Takes files through all phases to their commit: one file, or a range of them."""
