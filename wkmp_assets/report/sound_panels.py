"""The lower panels of a file's picture: its mel spectrogram with the beats, and its chromagram with the key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wkmp_assets.report.sound_images import seconds_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from wkmp_assets.report.sound_images import SoundImages

_KEY_COLOUR, _BEAT_COLOUR = "#ff5a36", "#35e0ff"
_TEXT: dict[str, Any] = {"fontsize": 8, "bbox": {"facecolor": "black", "alpha": 0.7, "linewidth": 0, "pad": 1}}
_PITCHES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
_MAX_KEYS = 20
"""More names would hide each other and the chromagram."""


def draw_sound(mel: Axes, chroma: Axes, images: SoundImages) -> None:
    """Draw both panels.

    Parameters
    ----------
    mel, chroma : Axes
        Their x axis is the time of the whole file.
    images : SoundImages
        Of the file.
    """
    from librosa.display import specshow

    rate_hz = images.sound.rate_hz
    specshow(images.mel_db, y_axis="mel", ax=mel, cmap="magma", sr=rate_hz, x_coords=images.seconds)
    specshow(images.pitch_classes, y_axis="chroma", ax=chroma, cmap="viridis", sr=rate_hz, x_coords=images.seconds)
    label = "beats" if images.is_every_beat else "every fourth beat"
    if images.beats_s.size:
        mel.vlines(
            images.beats_s, 0.93, 1, transform=mel.get_xaxis_transform(), colors=_BEAT_COLOUR, linewidth=0.8,
            label=label,
        )  # fmt: skip
    for flavor in images.sound.flavors:
        start_s, length_s = seconds_of(flavor, images.sound)
        row, end_s = _PITCHES.index(flavor.measures.key), start_s + length_s
        chroma.hlines(row, start_s, end_s, colors=_KEY_COLOUR, linewidth=1.2, linestyle="--", label="tonic")
        if len(images.sound.flavors) <= _MAX_KEYS:
            name = f" {flavor.measures.key} {flavor.measures.scale}"
            chroma.text(start_s, row, name, color=_KEY_COLOUR, va="bottom", clip_on=True, **_TEXT)
    mel.set_ylabel("mel, Hz")
    chroma.set_ylabel("pitch class")
    mel.tick_params(labelbottom=False)
