"""One measured run of a mode or of a plain transcode, in a process of its own; throughput.py starts it."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from clips import copy_frames, decoded
from common import settings_of

from anonator.core import process_setup
from anonator.core.config import Encoder, Settings
from anonator.core.detection.cache import DetectorCache
from anonator.core.job import Job
from anonator.core.job_thread import VideoProcessor
from anonator.core.writing.encoders import encoder_setup


def run(what: str, clip: Path, target: Path) -> dict[str, Any]:
    """Run one contender; its frames, seconds, stages, and the processor time and memory of this process."""
    if what.startswith("transcode "):
        preset = what.partition(" ")[2]
        first = next(decoded(clip))
        _, options = encoder_setup(Encoder.X264, preset, Settings().crf, first.width * first.height)
        begin, start = time.process_time(), time.perf_counter()
        frames = copy_frames(clip, target, options=options)
        seconds, stages = time.perf_counter() - start, dict[str, float]()
    else:
        process_setup.prepare()
        settings = settings_of(what)
        detectors = DetectorCache()
        detectors.get(settings)  # its time is part of the start-up
        begin = time.process_time()
        result = VideoProcessor(Job(clip, target, settings, overwrite=True), detectors=detectors).run()
        frames, seconds, stages = result.frames, result.seconds, result.stage_seconds
    return {
        "frames": frames,
        "seconds": seconds,
        "stages": {name: 1000 * each / frames for name, each in stages.items()},
        "cpu": 1000 * (time.process_time() - begin) / frames,
        "memory_mb": peak_memory_mb(),
    }


def peak_memory_mb() -> float:
    """Largest resident memory of this process so far, in MB; NaN where the system does not tell."""
    status = Path("/proc/self/status")
    if status.is_file():
        # not getrusage: it also remembers the process that started this one
        for line in status.read_text("ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    try:
        import resource
    except ImportError:
        return float("nan")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6  # macOS counts in bytes


if __name__ == "__main__":
    print(json.dumps(run(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))))
