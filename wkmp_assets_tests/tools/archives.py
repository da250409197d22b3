"""Unpacking tar archives with every Python that the project runs on."""

import tarfile
from pathlib import Path


def unpack_tar(archive: tarfile.TarFile, folder: Path) -> None:
    """Unpack an archive; a Python that has filters, from 3.11.4 on, keeps its files inside the folder."""
    if (data_filter := getattr(tarfile, "data_filter", None)) is not None:
        archive.extraction_filter = data_filter
    archive.extractall(folder)  # noqa: S202 - the archives are our own
