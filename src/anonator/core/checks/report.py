"""The audit report: what a job did, in numbers and words, without any picture, name or path."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import importlib.metadata
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import av

from anonator.core.checks.file_checks import Check
from anonator.core.checks.moments import moments_worth_a_look
from anonator.core.checks.second_look import Uncovered
from anonator.core.config import Settings
from anonator.core.detection.weights import WeightsFile
from anonator.core.frames import TrackSummary
from anonator.core.job import NearMiss
from anonator.core.kept_report import SCHEMA
from anonator.core.reading.info import VideoInfo
from anonator.core.setting import declaration
from anonator.core.windows_files import reachable
from anonator.core.wording import NOBODY_YET

SCHEMA_VERSION = 3
"""The version rises when a field changes its meaning or goes; new fields do not raise it.

docs/REPORT.md describes every field.
"""
CHUNK = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """Everything a report says."""

    settings: Settings
    info: VideoInfo
    model: str
    """What found the faces."""
    own_detector: bool
    """Whether a script gave its own detector, so that the model in the settings found nothing."""
    weights: WeightsFile | None
    """What was loaded; None also where nothing was, because tracks of an earlier run were used."""
    device: str
    second_ffmpeg: str
    """Name and version of the FFmpeg that played the finished file."""
    started: datetime.datetime
    finished: datetime.datetime
    """Both with their time zone."""
    decoded: int
    masked: int
    """Frames that went through the anonymizer, with or without a face."""
    encoded: int
    verified: int
    """Frames found again in the finished file."""
    with_masks: int
    replaced: int
    """Frames that could not be decoded and are black."""
    tracks: Sequence[TrackSummary]
    cuts_seconds: Sequence[float]
    audio: str
    checks: Sequence[Check]
    """That the finished file passed or didn't need."""
    repaired: Sequence[Uncovered]
    """Faces that the search missed and a check found."""
    near_misses: Sequence[NearMiss]
    """What the second detector saw uncovered in the finished file that may be a face."""
    warnings: Sequence[str]
    output_sha256: str
    output_bytes: int
    input_sha256: str | None
    """Only if requested, because it identifies the recording."""
    review: Mapping[str, object] | None = None
    """What a person changed and signed, if the result was made from kept tracks."""


def to_json(facts: Mapping[str, object]) -> bytes:
    """The facts as a UTF-8 JSON file."""
    return (json.dumps(facts, indent=2, ensure_ascii=False) + "\n").encode()


def sha256_of(path: Path, tick: Callable[[], None]) -> str:
    """The SHA-256 of a file, as hexadecimal digits.

    Args:
        path: the file.
        tick: called repeatedly meanwhile; may raise to end it.

    Raises:
        OSError: it cannot be read.
    """
    digest = hashlib.sha256()
    with open(reachable(path), "rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
            tick()
    return digest.hexdigest()


def facts_of(audit: Audit) -> dict[str, Any]:
    """What the report's file holds, and its page is made from."""
    info, weights = audit.info, audit.weights
    moments, left_out = moments_worth_a_look(audit.tracks, audit.settings.threshold, audit.near_misses)
    settings = _plain(audit.settings, Settings() if audit.settings.hipaa else Settings.standard())
    if audit.own_detector:
        settings["model"] = None
    seconds = (audit.finished - audit.started).total_seconds()
    settings["lowest_score"] = round(audit.settings.lowest_threshold, 4)
    found_by = audit.review["found_by_weights_sha256"] if audit.review and not weights else None
    return {
        "schema": SCHEMA,
        "schema_version": SCHEMA_VERSION,
        "reviewed_by": (audit.review and audit.review["signed_by"]) or NOBODY_YET,
        "program": {
            "name": "Anonator",
            "version": importlib.metadata.version("anonator"),
            "ffmpeg": {name: ".".join(map(str, version)) for name, version in av.library_versions.items()},
            "second_ffmpeg": audit.second_ffmpeg,
        },
        "model": {
            "name": audit.model,
            "given_by_a_script": audit.own_detector,
            "weights_sha256": weights.sha256 if weights else found_by,
            "weights_checked_against": weights.check.value if weights else None,
            "weights_origin": weights.origin if weights else None,
            "device": audit.device,
        },
        "settings": settings,
        "times": {
            "started": audit.started.isoformat(timespec="seconds"),
            "finished": audit.finished.isoformat(timespec="seconds"),
            "seconds": round(seconds, 2),
        },
        "video": {
            "width": info.display_width,
            "height": info.display_height,
            "frames_per_second": round(float(info.average_rate), 3),
            "codec_of_the_input": info.codec,
            "audio": audit.audio,
        },
        "frames": {
            "decoded": audit.decoded,
            "masked": audit.masked,
            "encoded": audit.encoded,
            "verified": audit.verified,
            "with_masks": audit.with_masks,
            "replaced_by_black": audit.replaced,
        },
        "tracks": {
            "count": len(audit.tracks),
            "gaps_bridged": sum(track.gaps_bridged for track in audit.tracks),
        },
        "moments": [
            {
                "start_seconds": round(moment.start, 3),
                "end_seconds": round(moment.end, 3),
                "why": moment.why.value,
                "count": moment.count,
            }
            for moment in moments
        ],
        "moments_left_out": left_out,
        "scene_cuts_seconds": [round(cut, 3) for cut in audit.cuts_seconds],
        "verification": [
            {"check": check.name, "passed": True, "detail": check.sentence}
            for check in audit.checks
            if check.was_needed
        ],
        "not_needed": [
            {"check": check.name, "why": check.sentence} for check in audit.checks if not check.was_needed
        ],
        "repaired": [
            {
                "seconds": round(face.seconds, 3),
                "score": round(face.score, 3),
                "found_by": "second detector" if face.second else "second look",
            }
            for face in audit.repaired
        ],
        "near_misses": [
            {
                "start_seconds": round(miss.start_seconds, 3),
                "end_seconds": round(miss.end_seconds, 3),
                "score": round(miss.score, 3),
            }
            for miss in audit.near_misses
        ],
        **({"review": audit.review} if audit.review else {}),
        "warnings": list(audit.warnings),
        "output": {"sha256": audit.output_sha256, "bytes": audit.output_bytes},
        "input": {"recorded": audit.input_sha256 is not None, "sha256": audit.input_sha256},
    }


def _plain(settings: Any, usual: object) -> dict[str, object]:
    """Settings as JSON has them, the rare ones only where they differ from the usual."""
    plain: dict[str, object] = {}
    for field in dataclasses.fields(settings):
        value, default = getattr(settings, field.name), getattr(usual, field.name)
        declared = declaration(field)
        if declared is None:
            value = _plain(value, default)
            if not value:
                continue
        elif declared.rare and value == default:
            continue
        plain[field.name] = value.value if isinstance(value, Enum) else value
    if plain.get("hipaa"):
        plain["damaged_frames_limit"] = 0  # whatever the settings carry, the first damaged frame ends the job
    return plain
