"""Does one headless job and writes down where it covered what, to hold two systems against each other.

python headless_job.py clip CLIP             make a clip with one real face (needs the tests' packages)
python headless_job.py job CLIP FOLDER       do the job; the result and boxes.json come into FOLDER
python headless_job.py compare ONE OTHER     exit status 1 unless both folders hold the same
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

NEAR = 1.0
"""Pixels that a mask's edge may lie elsewhere: the same arithmetic comes from other compilers."""
BOXES = "boxes.json"


def make_clip(clip: Path) -> None:
    """A real face that moves over 30 frames."""
    sys.path.append(str(Path(__file__).parents[2] / "tests"))
    from face_clips import moving_face
    from skimage import data

    clip.parent.mkdir(parents=True, exist_ok=True)
    moving_face(clip, data.astronaut())


def do_job(clip: Path, folder: Path) -> int:
    """The program's own exit status; a job in HIPAA mode writes every mask into a record, which is tapped."""
    from anonator.core.tracking.mask_record import MaskRecord
    from anonator.main import main

    frames: list[list[list[float]]] = []
    add = MaskRecord.add

    def tapped(record: MaskRecord, frame: Any, masks: Any) -> None:
        frames.append(
            [[int(i), *map(float, box)] for i, box in zip(masks.track_ids, masks.boxes, strict=True)]
        )
        add(record, frame, masks)

    MaskRecord.add = tapped  # type: ignore[method-assign]
    folder.mkdir(parents=True, exist_ok=True)
    status = main(["--headless", str(clip), "--output-dir", str(folder), "--json"])
    (folder / BOXES).write_text(json.dumps(frames), encoding="utf-8")
    return status


def differences(one: Path, other: Path) -> list[str]:
    """Sentences about what is not the same."""
    mine, theirs = (json.loads((folder / BOXES).read_text(encoding="utf-8")) for folder in (one, other))
    if len(mine) != len(theirs) or not any(mine):
        return [f"{len(mine)} and {len(theirs)} frames, masks in {sum(map(bool, mine))} of the former"]
    found = []
    for index, (a, b) in enumerate(zip(mine, theirs, strict=True)):
        if [mask[0] for mask in a] != [mask[0] for mask in b]:
            found.append(f"frame {index}: tracks {[m[0] for m in a]} and {[m[0] for m in b]}")
        elif far := [(p, q) for p, q in zip(a, b, strict=True) if distance(p, q) > NEAR]:
            found.append(f"frame {index}: {far}")
    return found


def distance(one: list[float], other: list[float]) -> float:
    """The furthest that an edge of one mask lies from the other's."""
    return max(abs(p - q) for p, q in zip(one[1:], other[1:], strict=True))


def main() -> int:
    """What the command line says; the exit status."""
    task, *paths = sys.argv[1:]
    if task == "clip":
        make_clip(Path(paths[0]))
        return 0
    if task == "job":
        return do_job(Path(paths[0]), Path(paths[1]))
    found = differences(Path(paths[0]), Path(paths[1]))
    print("\n".join(found) or "the same masks in every frame, within a pixel")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
