"""Says what switching HIPAA mode off changes, with the settings that would then be used; no widgets."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from anonator.core.catalogue import SETTINGS
from anonator.core.config import Mode, Performance, Settings
from anonator.core.hipaa_lock import HIPAA_FIXED
from anonator.core.setting import word

BEGINNING = "This changes at once:"
ENDING = (
    "You can then also keep the sound, blur faces, make the masks smaller, or choose Maximum Speed. "
    "Switching HIPAA mode on again brings all of its values back, and so does the next start of Anonator."
)
LAST_TIME = " (as last time)"
POINT = "•  "
ALWAYS = "the finished video isn't searched for faces once more"
DAMAGED = "up to {} damaged frames turn black and don't end the job"
SAID: dict[str, dict[object, str]] = {
    "mode": {
        Mode.BLUR: "faces are blurred, not covered with black boxes",
        Mode.MOSAIC: "faces are pixelated, not covered with black boxes",
    },
    "keep_audio": {True: "the sound is kept, and voices can identify people"},
    "report": {False: "no audit report is saved"},
    "orientations": {False: "faces that are sideways or upside down may be missed"},
    "multi_pass": {False: "uncertain faces are no longer searched for"},
    "performance": {Performance.MAXIMUM: "Maximum Speed searches only a few frames"},
}
"""What to say of a value that differs from HIPAA mode's, by setting."""
NUMBERS = {
    "mask_scale": "masks are {} times the size of the face, not {}",
    "threshold": "a face needs a score of {}, not {}",
    "tracking.bridge_seconds": "a face that isn't detected stays covered for {} s, not {} s",
    "tracking.continue_threshold": "a face is followed down to a score of {}, not {}",
    "tracking.extend_seconds": "masks last {} s before and after a face, not {} s",
}
"""The same for numbers: the new one comes first."""


def question(hipaa: Settings, standard: Settings, remembered: Collection[str]) -> str:
    """Everything to know before HIPAA mode is switched off.

    Args:
        hipaa: what is used while it's on.
        standard: what would be used without it.
        remembered: the settings of the latter that were chosen earlier.
    """
    listed = "\n".join(f"{POINT}{change}" for change in changes(hipaa, standard, remembered))
    return f"{BEGINNING}\n\n{listed}\n\n{ENDING}"


def changes(hipaa: Settings, standard: Settings, remembered: Collection[str] = ()) -> Iterator[str]:
    """What would be done differently, one sentence each; see question."""
    for name in (*SAID, *NUMBERS, *(each for each in HIPAA_FIXED if each not in {*SAID, *NUMBERS})):
        before, after = SETTINGS[name].of(hipaa), SETTINGS[name].of(standard)
        # a table of a performance mode only matters if that mode is used
        unused = name.startswith("performance.") and not name.startswith(
            f"performance.{standard.performance.value}."
        )
        if before == after or unused:
            continue
        if name in NUMBERS:
            said = NUMBERS[name].format(word(after), word(before))
        else:
            said = SAID.get(name, {}).get(after, f"{name} is {word(after)}, not {word(before)}")
        yield said + (LAST_TIME if name in remembered else "")
    if standard.damaged_frames_limit:
        yield DAMAGED.format(standard.damaged_frames_limit)
    yield ALWAYS
