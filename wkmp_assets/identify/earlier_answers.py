"""What a service said once stays true when it cannot be asked again. Pure."""

from dataclasses import replace

from wkmp_assets.model.values import LookupOutcome, PassageLookup, RecordingLookups

_ANSWERED = frozenset({LookupOutcome.MATCH, LookupOutcome.NO_MATCH})
_NOT_ASKED = frozenset({LookupOutcome.DEFERRED, LookupOutcome.SKIPPED})


def keep_earlier_answers(now: RecordingLookups, earlier: RecordingLookups) -> RecordingLookups:
    """Put the answers of an earlier import in place of passages that nobody could be asked for now.

    Parameters
    ----------
    now, earlier : RecordingLookups
        Of the same content: a passage at the same place is the same sound with the same tags.
    """
    answers = {lookup.span: lookup for lookup in earlier.passages if lookup.outcome in _ANSWERED}

    def stands(lookup: PassageLookup) -> PassageLookup:
        if lookup.outcome not in _NOT_ASKED or lookup.span not in answers:
            return lookup
        return replace(answers[lookup.span], stands_because=lookup.detail)

    return replace(now, passages=tuple(map(stands, now.passages)))
