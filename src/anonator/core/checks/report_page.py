"""The audit report as one page to read, print and sign: a pure function of what the JSON file holds."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator
from html import escape

from anonator.core.checks.page_moments import Facts, moments_of
from anonator.core.checks.report import SCHEMA_VERSION
from anonator.core.clock_text import clock_text
from anonator.core.config import Mode, Performance
from anonator.core.kept_report import SCHEMA
from anonator.core.wording import NOT_COVERED, covered_through, sound_sentence

TITLE = "Video anonymization report"

STYLE = """
@page { margin: 11mm 16mm; }
* { box-sizing: border-box; }
body { font: 9pt/1.3 "Segoe UI", "Helvetica Neue", Arial, "Liberation Sans", sans-serif; color: #111;
  background: #fff; max-width: 178mm; margin: 0 auto; padding: 6mm 0; }
h1 { font-size: 16pt; margin: 0; }
h2 { font-size: 10pt; margin: 2.6mm 0 0.8mm; border-bottom: 0.3mm solid #111; break-after: avoid; }
p, ul { margin: 0 0 1mm; }
ul { padding-left: 4.5mm; }
.state { font-weight: bold; }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; vertical-align: top; padding: 0.2mm 3mm 0.2mm 0; }
th { font-weight: 600; white-space: nowrap; }
tr, li, .sign, .small { break-inside: avoid; }
.passed { font-weight: 600; white-space: nowrap; width: 1%; }
.time { white-space: nowrap; width: 1%; font-variant-numeric: tabular-nums; }
.small { font-size: 7.5pt; color: #333; overflow-wrap: anywhere; }
.small td, .small th { padding-bottom: 0; }
.sign th { font-weight: normal; font-size: 7.5pt; padding-bottom: 0; }
.sign td { border-bottom: 0.3mm solid #111; height: 8mm; vertical-align: bottom; }
.sign td + td, .sign th + th { padding-left: 3mm; }
.blank { border-bottom: 0.3mm solid #111; display: inline-block; width: 70mm; }
@media print { body { padding: 0; max-width: none; } }
"""
MODES = {
    Mode.SOLID.value: "covered with solid black boxes",
    Mode.BLUR.value: "blurred",
    Mode.MOSAIC.value: "pixelated",
}
PERFORMANCE = {
    Performance.ORIGINAL.value: "Original",
    Performance.QUALITY.value: "Quality",
    Performance.BALANCED.value: "Balanced",
    Performance.MAXIMUM.value: "Maximum Speed",
}
CHECKS = {
    "frames": "Completeness",
    "contents": "Contents",
    "second look": "Second look",
    "second detector": "Second detector",
    "playback": "Playback",
}
NO_REPORT = "This is not an audit report of Anonator. Give the JSON file of one."
NO_SECOND_LOOK = "The finished video was not searched for faces again."
UNSEARCHED = (
    "Any text in the picture, such as name tags, wristbands, documents, screens and licence plates.",
    "Bodies, clothes, tattoos, scars, and the way someone moves.",
    "The background: rooms, views from a window, and places that can be recognized.",
    "Reflections, photos and posters: a face in them is covered only if it was detected like any other.",
)
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
)  # fmt: skip


def to_html(facts: Facts) -> str:
    """The page, complete in itself: no script, no address, nothing that is loaded.

    Args:
        facts: what the report's JSON file holds.

    Raises:
        ValueError: it is no report of this version.
    """
    if facts.get("schema") != SCHEMA:
        raise ValueError(NO_REPORT)
    if facts.get("schema_version") != SCHEMA_VERSION:
        raise ValueError("This audit report is of another version of Anonator. Make its page with that one.")
    try:
        return _page(facts)
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as exc:
        raise ValueError("This audit report is damaged or was changed.") from exc


def _page(facts: Facts) -> str:
    hipaa = facts["settings"]["hipaa"]
    parts = [
        f"<h1>{TITLE}</h1>",
        f"<p>Anonator {_text(facts['program']['version'])}, "
        f"{'HIPAA mode' if hipaa else 'standard mode'}, {_when(facts['times']['finished'])}. "
        f'<span class="state">Reviewed by: {_text(facts["reviewed_by"])}.</span></p>',
        '<p>Recording or case number (fill in by hand): <span class="blank">&nbsp;</span></p>',
        _section("What was done", _list(_done(facts))),
        _section("Checks of the finished video", _checks(facts)),
        _section(
            "What was not looked for",
            f"<p>{_text(NOT_COVERED)}</p>" + _list(_unsearched(facts)),
        ),
        _section("Moments worth a look", _moments(facts)),
        _notes(facts["warnings"]),
        _section("Review", _reviewed(facts.get("review")) + _signatures()),
        _section("Technical details", _technical(facts)),
    ]
    # the policy is a promise that the reader's browser keeps
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{TITLE}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(filter(None, parts))
        + "\n</body>\n</html>\n"
    )


def _reviewed(review: Facts | None) -> str:
    """What a person has seen and changed, if the result was made from a review."""
    if not review or not review["signed_by"]:
        return ""
    said = [
        f"Signed by {review['signed_by']} on {_when(review['signed_at'])}.",
        f"{_percent(review['share_seen'])} of the frames were shown to the reviewer.",
    ]
    if review.get("share_on_sheet"):
        said.append(
            f"{_percent(review['share_on_sheet'])} more were looked through on the sheet, which shows one "
            "finished picture for each half second."
        )
    for key, one, several in (
        ("covers_added", "1 cover was added.", "{:,} covers were added."),
        ("places_moved", "A cover was moved at 1 place.", "Covers were moved at {:,} places."),
        ("areas_added", "1 fixed area was added.", "{:,} fixed areas were added."),
        ("stops_found_right", "1 stop at doubts was found right.", "{:,} stops at doubts were found right."),
    ):
        count = int(review.get(key, 0))
        said += [one if count == 1 else several.format(count)] if count else []
    for key, what in (("left_visible", "left visible"), ("covered_only", "covered only")):
        for each in review[key]:
            span = f"{clock_text(each['start_seconds'], 1)} to {clock_text(each['end_seconds'], 1)}"
            why = f": {each['reason']}" if each["reason"] else ""
            said.append(f"Track {each['track']} was {what} from {span}{why}.")
    return _list(said)


def _percent(share: object) -> str:
    return f"{float(str(share)):.0%}".replace("%", " %")


def _done(facts: Facts) -> Iterator[str]:
    """What happened to the video and with which settings, one sentence each."""
    settings, frames, tracks = facts["settings"], facts["frames"], facts["tracks"]
    total, masked = frames["decoded"], frames["with_masks"]
    if masked:
        through = f", {covered_through(tracks['gaps_bridged'])}" if tracks["gaps_bridged"] else ""
        yield f"Something was covered in {masked:,} of {total:,} frames{through}."
    else:
        yield f"No face was found in {total:,} frames, so nothing was covered."
    size = f"{settings['mask_scale']:g} times the size of the face"
    yield f"Faces were {MODES[settings['mode']]}, {size}."
    yield (
        "Faces were searched for in every orientation, also sideways and upside down."
        if settings["orientations"]
        else "Faces were searched for in the upright picture only."
    )
    yield (
        f"Whatever scored at least {settings['lowest_score']:g} (of 1) counted as a face. "
        f"Performance mode: {PERFORMANCE[settings['performance']]}."
    )
    yield sound_sentence(str(facts["video"]["audio"]))
    if frames["replaced_by_black"]:
        yield f"{frames['replaced_by_black']:,} frames were damaged and are black in the result."
    if settings["hipaa_waiver"]:
        yield f'HIPAA mode was loosened by a signed sentence: "{settings["hipaa_waiver"]}"'
    if facts["model"]["given_by_a_script"]:
        yield "The faces were found by a detector that a script gave, not by one of Anonator's own."


def _checks(facts: Facts) -> str:
    rows = [
        (
            "Passed" if check["passed"] else "Failed",
            CHECKS.get(check["check"], check["check"]),
            check["detail"],
        )
        for check in facts["verification"]
    ]
    spared = facts.get("not_needed", [])
    rows += [("Not needed", CHECKS.get(each["check"], each["check"]), each["why"]) for each in spared]
    named = {each["check"] for each in (*facts["verification"], *spared)}
    if not {"second look", "second detector"} & named:
        rows.append(("Not done", CHECKS["second look"], NO_SECOND_LOOK))
    return _table(rows, ("passed", "time", ""))


def _unsearched(facts: Facts) -> Iterator[str]:
    yield from UNSEARCHED
    if facts["settings"]["keep_audio"]:
        yield "Voices and spoken names: the sound was kept, and nobody listened to it."


def _moments(facts: Facts) -> str:
    rows, left_out = moments_of(facts)
    if not rows:
        return "<p>None stood out. This does not replace watching the whole video.</p>"
    more = f" Not listed: {left_out:,} more, shorter or less important." if left_out else ""
    return _table(rows, ("time", "")) + f"<p>Watch the whole video, and look here first.{more}</p>"


def _notes(warnings: Iterable[str]) -> str:
    noted = _list(warnings)
    return _section("Notes", noted) if noted else ""


def _signatures() -> str:
    heads = ("Name", "Role", "Date", "Signature")
    head = "".join(f"<th>{head}</th>" for head in heads)
    row = f"<tr>{'<td>&nbsp;</td>' * len(heads)}</tr>"
    return (
        "<p>I have watched the whole finished video and found nothing in it that identifies a person.</p>"
        f'<table class="sign"><tbody>{row}<tr>{head}</tr>{row}<tr>{head}</tr></tbody></table>'
    )


def _technical(facts: Facts) -> str:
    model, video, output = facts["model"], facts["video"], facts["output"]
    source = facts["input"]["sha256"] if facts["input"]["recorded"] else "not recorded"
    rows = [
        ("Result", f"SHA-256 {output['sha256']}, {output['bytes']:,} bytes"),
        ("Original", f"SHA-256 {source}"),
        ("Video", f"{video['width']} x {video['height']}, {video['frames_per_second']:g} frames per second"),
        ("Detector", _detector(model)),
        ("Device", model["device"]),
        ("Begun", f"{_when(facts['times']['started'])}; took {facts['times']['seconds']:.0f} seconds"),
    ]
    told = "All settings and versions are in the JSON file next to this page. "
    told += "This page says what the program did; it does not certify that nobody can be recognized."
    return f'<div class="small">{_table(rows, ("time", ""))}<p>{told}</p></div>'


def _detector(model: Facts) -> str:
    """What found the faces, in this run or in an earlier one."""
    if model["weights_sha256"]:
        return f"{model['name']}, weights SHA-256 {model['weights_sha256']}"
    given = model["given_by_a_script"]
    return f"{model['name']}, {'which tells of no weights' if given else 'weights not recorded'}"


def _when(iso: str) -> str:
    """A time such as "26 November 2026, 11:17 UTC"."""
    at = datetime.datetime.fromisoformat(iso)
    zone = "UTC" if not at.utcoffset() else at.strftime("UTC%z")
    return _text(f"{at.day} {MONTHS[at.month - 1]} {at.year}, {at:%H:%M} {zone}")


def _text(value: object) -> str:
    return escape(str(value))


def _section(heading: str, content: str) -> str:
    return f"<h2>{_text(heading)}</h2>\n{content}"


def _list(sentences: Iterable[str]) -> str:
    items = "".join(f"<li>{_text(each)}</li>" for each in sentences)
    return f"<ul>{items}</ul>" if items else ""


def _table(rows: Iterable[tuple[str, ...]], classes: tuple[str, ...]) -> str:
    """Rows of plain text; each column has a class of the style."""
    body = "".join(
        "<tr>"
        + "".join(f'<td class="{c}">{_text(cell)}</td>' for c, cell in zip(classes, row, strict=True))
        + "</tr>"
        for row in rows
    )
    return f"<table><tbody>{body}</tbody></table>"
