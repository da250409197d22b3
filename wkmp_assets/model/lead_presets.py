"""Lead-point parameters for kinds of music, by name. Source: WKMP's document IMPL010."""

from enum import StrEnum

from wkmp_assets.model.values import LeadPointParameters


class LeadPreset(StrEnum):
    """Kinds of music that begin and end differently."""

    DEFAULT = "default"
    CLASSICAL = "classical"
    """Slow beginnings and long ends: up to 5 s."""
    ROCK_POP = "rock-pop"
    """Hard beginnings: up to 2 s."""
    ELECTRONIC = "electronic"
    """Long quiet build-ups: up to 8 s."""


LEAD_PRESETS = {
    LeadPreset.DEFAULT: LeadPointParameters(-12.0, -12.0),
    LeadPreset.CLASSICAL: LeadPointParameters(-15.0, -15.0, 200.0, 0.75, 2.0, 5.0, 5.0),
    LeadPreset.ROCK_POP: LeadPointParameters(-8.0, -8.0, 50.0, 0.75, 0.5, 2.0, 2.0),
    LeadPreset.ELECTRONIC: LeadPointParameters(-18.0, -18.0, 250.0, 0.75, 3.0, 8.0, 8.0),
}
