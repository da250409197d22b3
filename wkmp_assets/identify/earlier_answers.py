"""Answers of an earlier import, kept while a service cannot be asked."""

from dataclasses import replace

from wkmp_assets.model.lookup_outcomes import LookupOutcome
from wkmp_assets.model.values import PassageLookup, RecordingLookups

_ANSWERED = frozenset({LookupOutcome.MATCH, LookupOutcome.NO_MATCH})
_NOT_ASKED = frozenset({LookupOutcome.DEFERRED, LookupOutcome.SKIPPED})


def keep_earlier_answers(now: RecordingLookups, earlier: RecordingLookups) -> RecordingLookups:
    """Replace the lookups of passages that were deferred or skipped now and answered earlier.

    Parameters
    ----------
    now, earlier : RecordingLookups
        Of the same content: a passage with the same span has the same sound and the same tags.

    Returns
    -------
    RecordingLookups
        `now`, in which every replaced lookup says why it is an earlier one (`stands_because`).
    """
    answers = {lookup.span: lookup for lookup in earlier.passages if lookup.outcome in _ANSWERED}

    def keep_answer(lookup: PassageLookup) -> PassageLookup:
        if lookup.outcome not in _NOT_ASKED or lookup.span not in answers:
            return lookup
        return replace(answers[lookup.span], stands_because=lookup.detail)

    passages = tuple(map(keep_answer, now.passages))
    stands = all(lookup.outcome in _NOT_ASKED for lookup in now.passages)
    return replace(now, passages=passages, sheet=earlier.sheet if stands and now.sheet is None else now.sheet)
