"""Damage to the files of the phase store, and files of earlier versions."""

from pathlib import Path
from typing import Any

from wkmp_assets.model.outcomes import Outcome
from wkmp_assets.runtime.bundles import place_of
from wkmp_assets.runtime.document_files import join_documents, split_documents
from wkmp_assets.runtime.phase_documents import to_document
from wkmp_assets.runtime.phase_store import PhaseStore
from wkmp_assets.settings import Settings


def forget_phase(store: PhaseStore, phase: str, key: str) -> None:
    """Take the value of one phase out of a partition's bundle."""
    path = store.bundles.path_of(key)
    documents = split_documents(path.read_bytes())
    del documents[phase]
    path.write_bytes(join_documents(documents))


def leave_old_document(settings: Settings, phase: str, key: str, outcome: Outcome[Any]) -> Path:
    """Write the value of one phase where earlier versions kept it."""
    path = place_of(settings.phase_dir / phase, key)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(to_document(phase, key, outcome))
    return path
