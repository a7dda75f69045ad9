"""FaceDetector: pictures in, faces out; resizing, batching, the network and decoding, on CPU or CUDA."""

from __future__ import annotations

import logging
import math
import traceback
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from anonator.core.config import CPU_BATCH_LIMIT, NMS_THRESHOLD, Settings
from anonator.core.detection.cpu_fusion import FusedConvolution, fuse_for_cpu
from anonator.core.detection.devices import (
    Workers,
    choose_device,
    choose_dtype,
    cpu_threads,
    is_out_of_memory,
)
from anonator.core.detection.devices import why_no_cuda as why_no_cuda
from anonator.core.detection.networks import RGB_MEANS, FaceNetwork, build_network, decode, load_weights
from anonator.core.detection.passes import Pass, merge, plan_passes
from anonator.core.detection.passes import suppress as suppress
from anonator.core.detection.preprocess import (
    Pictures,
    halve,
    halve_batch,
    padded,
    require_same_kind,
    stage,
    turn,
)
from anonator.core.detection.preprocess import network_size as network_size
from anonator.core.detection.seams import Layout, find_seams
from anonator.core.detection.weights import WeightsFile, find
from anonator.core.frames import Detections, Float32Array, UInt8Array
from anonator.errors import DetectionError, JobCancelled

log = logging.getLogger(__name__)

TOP_K = 4096
"""Candidates of one picture that reach NMS; 800 faces at once raise about this many."""
SMALLEST_RESOLUTION = 480
"""Out of memory on a GPU never shrinks the picture below this long side; then the CPU takes over."""
UPLOAD_CHUNK = 4
"""Pictures of a batch that go to a GPU together: while it works on them, the next are made ready."""
CACHED_SIZES = 16
"""Picture sizes whose priors and means are kept."""


class _ImpossibleNumbersError(RuntimeError):
    """The network's answer holds NaN or infinity."""


class FaceDetector:
    """Finds faces in RGB pictures with one network on one device.

    Not for use by two threads at once. Close it to free its threads and a GPU's memory.
    """

    def __init__(
        self,
        network: FaceNetwork,
        *,
        device: torch.device,
        dtype: torch.dtype,
        max_resolution: int,
        batch_size: int | None = 1,
        score_floor: float = 0.1,
        nms_threshold: float = NMS_THRESHOLD,
        device_line: str = "",
        name: str = "FaceDetector",
        threads: int | None = None,
    ) -> None:
        """Take over a network with loaded weights; the caller must not use it again.

        Args:
            network: float32, on the CPU.
            device: where to run.
            dtype: float32, bfloat16 or float16.
            max_resolution: long side in pixels of the picture that the network sees.
            batch_size: pictures in work at once; None: as many as keep the CPU busy.
            score_floor: detections under this score are not returned.
            nms_threshold: boxes that overlap more than this are one face.
            device_line: the device in words, for people.
            name: of the network, for the report.
            threads: of the CPU; None leaves some to the encoder.
        """
        self.max_resolution = self._full_resolution = max_resolution
        self.score_floor, self.nms_threshold = score_floor, nms_threshold
        self.device_line = device_line
        self.name = name
        self.notes: list[str] = []
        """Sentences for the user about what had to be changed along the way."""
        self.weights: WeightsFile | None = None
        """What the network was loaded from, for the report."""
        self.means = RGB_MEANS
        self.interpolation: int | None = None
        """OpenCV's resizing method; None chooses area for shrinking and bilinear for enlarging."""
        self.judges_large_faces_at_half_size = True
        """Off only for comparison with detectors that look once."""
        self._checkpoint: Callable[[], None] | None = None
        self._hooks: list[RemovableHandle] = []
        network.prepare()
        self._threads = cpu_threads() if threads is None else max(1, threads)
        self._alone = Workers(1, self._threads)
        count = min(self._threads, CPU_BATCH_LIMIT)
        self._workers = Workers(count, self._threads // count)
        self._network: FaceNetwork | None = network.to(memory_format=torch.channels_last)
        self._move(device, dtype)
        self.batch_size = self._at_once() if batch_size is None else batch_size

    def _move(self, device: torch.device, dtype: torch.dtype) -> None:
        assert self._network is not None
        self.device, self.dtype = device, dtype
        self._network = self._network.to(device=device, dtype=dtype)
        self._constants: dict[tuple[object, ...], tuple[Tensor, Tensor]] = {}
        if device.type == "cpu":
            fuse_for_cpu(self._network)
        layers = [m for m in self._network.modules() if isinstance(m, (nn.Conv2d, FusedConvolution))]
        # a light network's layers are so quick that a call before each of them would slow it down
        for hook in self._hooks:
            hook.remove()
        self._hooks = [
            layer.register_forward_pre_hook(self._may_go_on)
            for layer in layers[:: 5 if self._network.light else 1]
        ]

    def _may_go_on(self, *_: object) -> None:
        if self._checkpoint is not None:
            self._checkpoint()

    def _at_once(self) -> int:
        """Number of pictures that keeps the CPU busy; a heavy network has memory for only one."""
        return self._workers.count if self._network is not None and self._network.light else 1

    def close(self) -> None:
        """Free the network, the threads, and what is held on the device; detect() fails afterwards."""
        self._network = None
        self._constants.clear()
        self._workers.close()
        self._alone.close()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()

    def detect(
        self,
        pictures: Pictures,
        turns: Sequence[int] = (0,),
        *,
        checkpoint: Callable[[], None] | None = None,
    ) -> list[Detections]:
        """Find the faces in pictures of one size.

        Args:
            pictures: N arrays (H, W, 3) uint8 RGB (grey ones (H, W) too), or one (N, H, W, 3) array.
            turns: quarter turns at which each picture is looked at; what they find is merged by NMS.
                With more than one, it is also looked at with its parts apart.
            checkpoint: called between layers of the network, in any thread; may raise to end the call there.

        Returns:
            N Detections, sorted by falling score, boxes in pixels of the pictures.

        Raises:
            DetectionError: the network failed; no result is made up.
            JobCancelled: checkpoint raised it.
        """
        if self._network is None:
            raise DetectionError("The face detector was closed before the job ended. Start the job again.")
        self._checkpoint = checkpoint
        try:
            return self._detect_all(pictures, turns)
        finally:
            self._checkpoint = None

    def _detect_all(self, pictures: Pictures, turns: Sequence[int]) -> list[Detections]:
        results: list[Detections] = []
        while len(results) < len(pictures):
            try:
                require_same_kind(pictures)
                chunk = pictures[len(results) : len(results) + self.batch_size]
                results += self._detect_batch(chunk, turns)
            except JobCancelled:
                raise
            except Exception as exc:
                if is_out_of_memory(exc):
                    self._retreat(exc)
                elif isinstance(exc, _ImpossibleNumbersError) and self.dtype == torch.float16:
                    self._move(self.device, torch.float32)
                    self._note("The network does not work in float16 on this GPU; continuing in float32.")
                else:
                    raise DetectionError(
                        "The face detector failed, so the job was stopped. Try again with the device set to "
                        "CPU; if that fails too, the log says why."
                    ) from exc
        return results

    def _retreat(self, cause: Exception) -> None:
        """After running out of memory: half the batch, then on a GPU half the size, then the CPU."""
        # the tensors that the failed functions still hold must be gone before the next try
        traceback.clear_frames(cause.__traceback__)
        on_gpu = self.device.type == "cuda"
        if on_gpu:
            torch.cuda.empty_cache()
        place = "The GPU" if on_gpu else "This computer"
        if self.batch_size > 1:
            in_memory = min(self.batch_size, UPLOAD_CHUNK) if on_gpu else self.batch_size
            self.batch_size = max(1, in_memory // 2)
            self._note(f"{place} ran out of memory; continuing with batches of {self.batch_size}.")
        elif on_gpu and self.max_resolution // 2 >= SMALLEST_RESOLUTION:
            self.max_resolution //= 2
            self._note(
                f"The GPU ran out of memory; looking for faces at {self.max_resolution} pixels from here on, "
                "so small faces may be missed. Close other programs or choose the CPU, and run the job again."
            )
        elif on_gpu:
            self._move(torch.device("cpu"), torch.float32)
            # there is more memory now: no reason to keep missing small faces
            self.max_resolution, self.batch_size = self._full_resolution, self._at_once()
            self.device_line = "CPU, float32; the GPU ran out of memory"
            self._note("The GPU ran out of memory; continuing on the CPU, which is slower.")
        else:
            raise DetectionError(
                "This computer ran out of memory. Close other programs, or choose a faster performance mode."
            ) from cause

    def _note(self, text: str) -> None:
        log.warning(text)
        self.notes.append(text)

    def _detect_batch(self, pictures: Pictures, turns: Sequence[int]) -> list[Detections]:
        height, width = pictures[0].shape[:2]
        size = w, h = network_size(width, height, self.max_resolution)
        seen, scale = padded(size), (width / w, height / h)
        passes = plan_passes(turns, seen, halves=self.judges_large_faces_at_half_size)
        layouts: Sequence[Layout | None] = [None] * len(pictures)
        if any(p.apart for p in passes):
            half = seen[0] // 2, seen[1] // 2
            layouts = self._workers.map(lambda p: Layout.of(find_seams(p), (width, height), half), pictures)
        look = self._look_on_cuda if self.device.type == "cuda" else self._look
        found = look(pictures, size, passes, layouts)
        return [
            merge(looks, passes, seen, scale, (width, height), layout, self.nms_threshold)
            for looks, layout in zip(found, layouts, strict=True)
        ]

    def _run(self, batch: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(N, h, w, 3) uint8 on the device through the network: regressions, float32 logits, priors."""
        assert self._network is not None
        n, height, width = batch.shape[:3]
        key = height, width, self.means
        found = self._constants.get(key)
        if found is None:
            if len(self._constants) >= CACHED_SIZES:
                self._constants.clear()
            # whole rows: with a last axis of three, a CPU would subtract one number at a time
            means = torch.tensor(self.means * width, dtype=self.dtype, device=self.device)
            found = self._constants[key] = self._network.priors(height, width).to(self.device), means
        priors, means = found
        rows = batch.reshape(n, height, 3 * width) - means
        # an NHWC picture seen as NCHW is channels_last already
        regressions, logits = self._network(rows.view(n, height, width, 3).permute(0, 3, 1, 2))
        return regressions, logits.float(), priors

    def _look(
        self,
        pictures: Pictures,
        size: tuple[int, int],
        passes: Sequence[Pass],
        layouts: Sequence[Layout | None],
    ) -> list[list[Float32Array]]:
        """For every picture and pass (K, 5) xyxy in 0..1 of the turned picture, and score; a worker each."""
        staged = self._workers.map(lambda p: stage(p, size, self.means, self.interpolation), pictures)
        halved = self._workers.map(halve, staged) if any(p.halved for p in passes) else staged
        looks = []
        for full, half, layout in zip(staged, halved, layouts, strict=True):
            for p in passes:
                picture = half if p.halved else full
                looks.append((layout.spread(picture) if p.apart and layout else picture, p.turns))
        # threads that share a picture wait for each other after every layer: only if there is one look
        several = self._at_once() > 1 and sum(not p.halved for p in passes) * len(pictures) > 1
        found = (self._workers if several else self._alone).map(self._look_once, *zip(*looks, strict=True))
        return [found[i : i + len(passes)] for i in range(0, len(found), len(passes))]

    @torch.inference_mode()
    def _look_once(self, picture: UInt8Array, quarter_turns: int) -> Float32Array:
        turned = torch.from_numpy(turn(picture, quarter_turns))
        regressions, logits, priors = self._run(turned[None])
        if not (torch.isfinite(logits).all() and torch.isfinite(regressions).all()):
            raise _ImpossibleNumbersError("the network's answer is not finite")
        floor = math.log(self.score_floor / (1 - self.score_floor))
        index = (logits[0] >= floor).nonzero().flatten()
        if len(index) > TOP_K:
            index = index[logits[0, index].topk(TOP_K).indices]
        faces = decode(regressions[0, index].float(), priors[index])
        return torch.cat([faces, logits[0, index].sigmoid()[:, None]], dim=1).numpy()

    @torch.inference_mode()
    def _look_on_cuda(
        self,
        pictures: Pictures,
        size: tuple[int, int],
        passes: Sequence[Pass],
        layouts: Sequence[Layout | None],
    ) -> list[list[Float32Array]]:
        """The same on a GPU, where nothing waits until all looks at a batch have been queued."""
        w, h = padded(size)

        def fill(picture: UInt8Array, target: UInt8Array) -> None:
            stage(picture, size, self.means, self.interpolation, target)

        waiting: list[list[Tensor]] = []
        for start in range(0, len(pictures), UPLOAD_CHUNK):
            chunk = pictures[start : start + UPLOAD_CHUNK]
            # torch gives pinned memory out again only when the copies from it have ended
            pinned = torch.empty((len(chunk), h, w, 3), dtype=torch.uint8, pin_memory=True)
            self._workers.map(fill, chunk, pinned.numpy())
            batch = pinned.to(self.device, non_blocking=True)
            half = halve_batch(batch, self.dtype) if any(p.halved for p in passes) else batch
            looks = [
                self._candidates_apart(pinned.numpy(), layouts[start : start + UPLOAD_CHUNK])
                if p.apart
                else self._candidates(torch.rot90(half if p.halved else batch, p.turns, (1, 2)))
                for p in passes
            ]
            waiting += [[rows[i] for rows in looks] for i in range(len(chunk))]
        torch.cuda.synchronize(self.device)  # the only wait of a batch
        return [[self._read(rows.numpy()) for rows in looks] for looks in waiting]

    def _candidates(self, batch: Tensor) -> Tensor:
        """(N, K + 1, 5) in pinned memory, filled once the device is synchronised; see _read."""
        regressions, logits, priors = self._run(batch)
        # a fixed number of candidates: anything that depends on values would wait for the device
        top, index = logits.topk(min(TOP_K, logits.shape[1]), dim=1, sorted=False)
        picked = regressions.gather(1, index[..., None].expand(-1, -1, 4)).float()
        rows = torch.cat([decode(picked, priors[index]), top.sigmoid()[..., None]], dim=2)
        finite = torch.isfinite(logits).all(1) & torch.isfinite(regressions).flatten(1).all(1)
        rows = torch.cat([rows, finite[:, None, None].expand(-1, 1, 5).float()], dim=1)
        return torch.empty(rows.shape, dtype=rows.dtype, pin_memory=True).copy_(rows, non_blocking=True)

    def _candidates_apart(
        self, pictures: Iterable[UInt8Array], layouts: Sequence[Layout | None]
    ) -> list[Tensor]:
        """The same for pictures with their parts apart, one by one: no two need have the same size."""

        def spread(picture: UInt8Array, layout: Layout | None) -> Tensor:
            half = halve(picture)
            parts = torch.from_numpy(layout.spread(half) if layout else half)
            return torch.empty(parts.shape, dtype=torch.uint8, pin_memory=True).copy_(parts)

        pinned = self._workers.map(spread, pictures, layouts)
        return [self._candidates(p[None].to(self.device, non_blocking=True))[0] for p in pinned]

    def _read(self, rows: Float32Array) -> Float32Array:
        """The candidates above the floor; the last row says whether the network's answer was finite."""
        if not rows[-1, 0]:
            raise _ImpossibleNumbersError("the network's answer is not finite")
        candidates = rows[:-1]
        return candidates[candidates[:, 4] >= self.score_floor]


def load_detector(
    settings: Settings, weights: Path | None = None, *, threads: int | None = None
) -> FaceDetector:
    """Load the chosen model onto the chosen device.

    Args:
        settings: of the job.
        weights: a weights file or folder to use instead of the known places.
        threads: of the CPU; None leaves some to the encoder.

    Raises:
        WeightsMissingError, WeightsInvalidError: the model's weights; no other model is used instead.
        DeviceError: CUDA was requested but isn't available, or the device lacks the precision.
    """
    device, reason = choose_device(settings.device)
    network = build_network(settings.model)
    file = find(settings.model, weights)
    load_weights(network, file.path)
    dtype = choose_dtype(settings.precision, device)
    on_gpu = device.type == "cuda"
    name = torch.cuda.get_device_name() if on_gpu else "CPU"
    line = f"{name}, {str(dtype).removeprefix('torch.')}" + (f"; no CUDA because {reason}" if reason else "")
    detector = FaceDetector(
        network,
        device=device,
        dtype=dtype,
        max_resolution=settings.preset.max_resolution,
        batch_size=settings.preset.batch_size if on_gpu else None,
        score_floor=settings.tracking.continue_threshold,
        nms_threshold=settings.nms_threshold,
        device_line=line,
        name=settings.model.value,
        threads=threads,
    )
    detector.weights = file
    log.info("detector %s on %s, batch %d", settings.model.value, line, detector.batch_size)
    return detector
