"""Serves the review's wishes: single frames, and playing at any speed, both ways, at its own times."""

from __future__ import annotations

import bisect
import time

from anonator.ui.review.projector import AHEAD, NEAR, PROXY_SIDE, Projector, Wish, picture_of

MOST_PER_SECOND, LEAST_PER_SECOND = 30.0, 20.0
"""Pictures shown while playing: more would only slow the window down; fewer if decoding is too slow."""
LATE_SECONDS, LOST_SECONDS = 0.04, 0.5
"""A picture that is late may be left out. What is lost isn't caught up with: playing takes longer."""
SKIM_SPEED = 4.0
"""From here on, frames that no other one depends on are left out, and copies of frames will do."""
SHORT_SECONDS = 0.012
"""Too short to decode another frame while waiting for the next one's time."""
COARSE = 2
"""Copies that would be enlarged more than this are too coarse to be played."""


def serve(projector: Projector, wish: Wish) -> None:
    """Do what is wished, then decode ahead, until another wish comes.

    Raises:
        AnonatorError: the video can't be read there.
    """
    desk = projector.desk
    backwards = wish.speed < 0 or (wish.speed == 0 and wish.index < projector.stock.kept.centre)
    if wish.speed > 0:
        _play_on(projector, wish)
    elif wish.speed < 0:
        _play_back(projector, wish)
    else:
        projector.show_proxy(wish)
        projector.show(wish, wish.index, -1)
    if desk.is_over(wish):
        return
    desk.answered(wish)
    while not desk.is_over(wish):
        if not projector.look_ahead(wish, backwards=backwards):
            desk.wait(wish, None)


def _play_on(projector: Projector, wish: Wish) -> None:
    """Play from a frame to the end, and stop there."""
    desk, seconds, stock = projector.desk, projector.seconds, projector.stock
    shown = _play_proxies(projector, wish, -1)
    index, last = max(wish.index, shown + 1), -1.0
    begin: float | None = None
    reel = stock.front
    while index < len(seconds) and not desk.is_over(wish):
        frame = stock.kept.get(index)
        if frame is None:
            if reel.at is None or not 0 <= index - reel.at <= NEAR:
                reel.wind(index)
            frame = stock.take(reel)
            if frame is None and reel.at is None:
                break
            if frame is None or frame.index < index:
                continue
        stock.kept.centre, index = frame.index, frame.index + 1
        at, now = seconds[frame.index] / wish.speed, time.monotonic()
        begin = now - at if begin is None else max(begin, now - at - LOST_SECONDS)
        due = begin + at
        late = now - due
        reel.skims = late > LATE_SECONDS or wish.speed >= SKIM_SPEED
        least = 1 / LEAST_PER_SECOND if late > LATE_SECONDS else 0.9 / MOST_PER_SECOND
        if max(due, now) - last < least:
            continue
        picture = picture_of(frame, wish.side)
        _wait_ahead(projector, wish, due)
        if desk.is_over(wish):
            return
        desk.publish(wish, frame.index, picture, shown)
        shown, last = frame.index, max(due, time.monotonic())
    end = len(seconds) - 1
    if shown != end and not desk.is_over(wish):
        projector.show(wish, end, shown)


def _wait_ahead(projector: Projector, wish: Wish, due: float) -> None:
    """Decode ahead until a time."""
    desk, stock = projector.desk, projector.stock
    while (left := due - time.monotonic()) > 0 and not desk.is_over(wish):
        reel, here = stock.front, stock.kept.centre
        if left > SHORT_SECONDS and reel.at is not None and 0 < reel.at - here <= stock.room // AHEAD:
            stock.take(reel)
        else:
            desk.wait(wish, left)


def _play_back(projector: Projector, wish: Wish) -> None:
    """Play from a frame to the beginning, and stop there."""
    desk, seconds, stock, speed = projector.desk, projector.seconds, projector.stock, -wish.speed
    projector.show(wish, wish.index, -1)
    shown, last = wish.index, time.monotonic()
    begin = last + seconds[shown] / speed
    """The clock's time at second 0 of the video."""
    while shown > 0 and not desk.is_over(wish):
        played = _play_proxies(projector, wish, shown)
        if played != shown:
            shown, last = played, time.monotonic()
            begin = last + seconds[shown] / speed
            continue
        due = max(begin - seconds[shown - 1] / speed, last + 1 / MOST_PER_SECOND)
        while (left := due - time.monotonic()) > 0 and not desk.is_over(wish):
            if left < SHORT_SECONDS or speed >= SKIM_SPEED or not projector.behind():
                desk.wait(wish, left)
        now = bisect.bisect_left(seconds, (begin - time.monotonic()) * speed)
        wanted = min(now, shown - 1)
        least = wanted if speed < SKIM_SPEED else max(0, wanted - NEAR)
        index = stock.kept.nearest_before(wanted, least)
        if index is None:
            projector.fill(wish, wanted, skims=speed >= SKIM_SPEED)
            begin = time.monotonic() + seconds[wanted] / speed
            index = stock.kept.nearest_before(wanted, least)
        frame = projector.fetch(wish, wanted if index is None else index)
        if frame is None:
            return
        stock.kept.centre = frame.index
        desk.publish(wish, frame.index, picture_of(frame, wish.side), shown)
        shown, last = frame.index, time.monotonic()


def _play_proxies(projector: Projector, wish: Wish, shown: int) -> int:
    """Play from copies of frames as far as there are enough of them; slow playing never does.

    Args:
        projector: has them.
        wish: what is played.
        shown: the frame that was shown last; -1 at the beginning.

    Returns:
        the frame that is shown now.
    """
    desk, seconds, proxies = projector.desk, projector.seconds, projector.proxies
    on = wish.speed > 0
    reach = 2 * proxies.stride  # so far apart are two copies at most
    gap = (seconds[-1] - seconds[0]) / max(1, len(seconds) - 1) * proxies.stride / abs(wish.speed)
    is_coarse = min(wish.side, max(projector.proxies.size)) > PROXY_SIDE * COARSE
    if abs(wish.speed) < SKIM_SPEED or gap > 1 / LEAST_PER_SECOND or is_coarse:
        return shown
    start = seconds[wish.index if shown < 0 else shown]
    begin = time.monotonic()
    while not desk.is_over(wish):
        now = time.monotonic()
        place, due = start + (now - begin) * wish.speed, now + 1 / MOST_PER_SECOND
        if not seconds[0] < place < seconds[-1] and shown >= 0:
            break
        index = bisect.bisect_right(seconds, place) - 1
        first, last = index - reach, index + reach
        first, last = (max(first, shown + 1), last) if on else (first, min(last, shown - 1))
        found = proxies.near(max(1, first), min(last, len(seconds) - 2))  # both ends are shown themselves
        picture = None if found is None else proxies.picture(found, wish.side)
        if found is None or picture is None:
            break
        desk.publish(wish, found, picture, shown)
        projector.stock.kept.centre = shown = found
        desk.wait(wish, due - time.monotonic())
    return shown
