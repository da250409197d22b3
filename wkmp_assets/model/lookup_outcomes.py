"""How lookups of passages end."""

from enum import StrEnum


class LookupOutcome(StrEnum):
    """How a passage's lookup ended."""

    MATCH = "match"
    """Candidates were found, good or bad."""
    NO_MATCH = "no match"
    TOO_SHORT = "too short"
    """The passage is too short for a fingerprint."""
    DEFERRED = "deferred"
    """A service was down or busy, or the run did not ask. A later run asks again."""
    SKIPPED = "skipped"
    """Not looked up, because no key is set."""
