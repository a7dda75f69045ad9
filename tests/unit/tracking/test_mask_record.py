"""What was covered can be covered again, exactly, and nowhere else than where it was."""

from __future__ import annotations

import numpy as np
import pytest
from unit.tracking.record_helpers import frame, masks, recorded

from anonator.core.tracking.mask_record import Patches
from anonator.errors import VerificationError

NOTHING = Patches((), (), 1.0)


def test_replay_gives_every_mask_back_bit_for_bit() -> None:
    tracks = ((), (3,), (3, 7), (), (7,))
    record = recorded(*tracks)
    replayed = list(record.replay((frame(i) for i in range(5)), NOTHING))
    assert [f.index for f, _ in replayed] == [0, 1, 2, 3, 4]
    for (_, got), present in zip(replayed, tracks, strict=True):
        np.testing.assert_array_equal(got.boxes, masks(*present).boxes)
        np.testing.assert_array_equal(got.track_ids, masks(*present).track_ids)


def test_patches_cover_a_place_for_a_while_around_a_moment() -> None:
    record = recorded(*[(1,)] * 100)
    patches = Patches((2.0,), ((5, 6, 7, 8),), 0.5)  # frame 50 is at 2 s
    covered = [len(m) == 2 for _, m in record.replay((frame(i) for i in range(100)), patches)]
    assert [i for i, c in enumerate(covered) if c] == list(range(38, 63))
    _, patched = list(record.replay((frame(i) for i in range(100)), patches))[50]
    np.testing.assert_array_equal(patched.boxes[1], np.array([5, 6, 7, 8], np.float32))


@pytest.mark.parametrize(
    "frames",
    [range(4), range(6), [0, 1, 3, 4, 5], []],
    ids=["one less", "one more", "another time", "none"],
)
def test_other_frames_than_those_recorded_are_refused(frames: list[int]) -> None:
    """A failure means that masks could be put onto the wrong frames when the input changes meanwhile."""
    record = recorded(*[(1,)] * 5)
    with pytest.raises(VerificationError, match="changed during"):
        list(record.replay((frame(i) for i in frames), NOTHING))


@pytest.mark.parametrize(
    ("tracks", "edges"),
    [
        ([(), (1,), (1,), ()], [0, 3]),
        ([(1,), (1,), (1, 2), (2,), (2,)], [1, 3]),
        ([(), (), ()], []),
        ([(1,), (2,)], [0, 1]),
    ],
    ids=str,
)
def test_edges_are_the_frames_just_outside_of_a_track(
    tracks: list[tuple[int, ...]], edges: list[int]
) -> None:
    assert list(recorded(*tracks).edges()) == edges
