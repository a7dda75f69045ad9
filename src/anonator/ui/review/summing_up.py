"""What signing a review would say: what was changed, and what nobody has seen or checked."""

from __future__ import annotations

from anonator.core.review.summary import summary
from anonator.ui.review.review_state import ReviewState
from anonator.ui.review.session import ReviewSession
from anonator.ui.state import text


def changed(session: ReviewSession, state: ReviewState) -> tuple[str, ...]:
    """A line for each kind of change."""
    facts = summary(session.edits, session.state, session.analysis)
    # of those that there are now, as the line below counts them; some were done by a cover
    facts["stops_judged"] = len(state.stops) - state.open_stops
    lines = [
        f"{text.count(number, what)} {done}"
        for key, what, done in (
            ("covers_added", "cover", "drawn"),
            ("places_moved", "place", "moved or set"),
            ("areas_added", "fixed area", "covered"),
            ("stops_judged", "stop", "judged"),
        )
        if isinstance(number := facts.get(key), int) and number
    ]
    for key, words in (("left_visible", "left visible"), ("covered_only", "covered only for a while")):
        each = facts.get(key)
        if isinstance(each, list) and each:
            reasons = "; ".join(dict.fromkeys(str(one["reason"]) for one in each if one["reason"]))
            lines.append(
                f"{text.count(len(each), 'stretch', 'stretches')} {words}: {reasons or 'no reason given'}"
            )
    return tuple(lines)


def missing(state: ReviewState) -> tuple[str, ...]:
    """A sentence for each thing that isn't done."""
    lines = []
    if state.unseen_seconds > 0:
        share = max(1, round((1 - state.share_seen - state.share_on_sheet) * 100))
        lines.append(f"{share} % of the video wasn't seen ({text.duration(state.unseen_seconds)}).")
    if state.share_on_sheet > 0:
        share = max(1, round(state.share_on_sheet * 100))
        lines.append(
            f"{share} % was only looked through on the sheet, one picture for each half second of it."
        )
    if state.open_stops:
        stops, left = len(state.stops), state.open_stops
        which = f"{left} of {stops} stops" if left < stops else text.count(stops, "stop")
        lines.append(f"{which} {'has' if left == 1 else 'have'} not been judged.")
    return tuple(lines)
