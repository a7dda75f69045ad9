"""A signature that a killed program left half done: the file is made and says who signed, the tracks don't.

The report of a signed result names the digest of the edits that it was made from, so both can be compared.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from anonator.core import kept_report
from anonator.core.job import report_target
from anonator.core.review.edits import Edit, Operation
from anonator.core.review.tracks_lines import line_of
from anonator.core.windows_files import reachable
from anonator.errors import ReviewError

OTHER_EDITS = (
    "The result was signed by {}, but not from this review as it is now. Sign again to make the file from "
    "what you see here."
)


def digest_of(edits: Iterable[Edit]) -> str:
    """SHA-256 of edits, in order, as a report names it."""
    digest = hashlib.sha256()
    for edit in edits:
        digest.update(json.dumps(line_of(edit), sort_keys=True).encode() + b"\n")
    return digest.hexdigest()


def left_over(edits: Sequence[Edit], result: Path, report_folder: Path | None = None) -> Edit | None:
    """The signature that a result bears and its review lacks, because the program was killed in between.

    Args:
        edits: of the review, none of which signs it.
        result: the finished file.
        report_folder: where reports are saved now; that of the result may also lie next to it.

    Raises:
        ReviewError: the result is signed, but wasn't made from these edits.
    """
    report = _report(result, report_folder) or _report(result, None)
    review = report.get("review")
    if not isinstance(review, Mapping) or not review.get("signed_by"):
        return None
    by, at = str(review["signed_by"]), str(review.get("signed_at") or "")
    number = edits[-1].number + 1 if edits else 1
    sign = Edit(number, Operation.SIGN, reason=by, at=at)
    # what the second look covered besides is only in the job's answer, which is lost
    if digest_of([*edits, sign]) != review.get("edits_sha256") or report.get("repaired"):
        raise ReviewError(OTHER_EDITS.format(by))
    return sign


def _report(result: Path, folder: Path | None) -> Mapping[str, object]:
    """The report of a result in that folder, or next to it; or nothing."""
    try:
        size = reachable(result).stat().st_size
    except OSError:
        return {}
    return kept_report.read(report_target(result, folder), size)
