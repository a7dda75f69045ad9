"""Inference: a network on one device; pictures in, its candidates at every look out, on CPU or CUDA."""

from __future__ import annotations

import contextlib
import math
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from anonator.core.config import CPU_BATCH_LIMIT
from anonator.core.detection.cpu_fusion import FusedConvolution, fuse_for_cpu
from anonator.core.detection.devices import Workers
from anonator.core.detection.networks import RGB_MEANS, FaceNetwork, RetinaFaceNetwork, decode
from anonator.core.detection.passes import Pass
from anonator.core.detection.preprocess import halve, halve_batch, padded, stage, turn
from anonator.core.detection.seams import Layout
from anonator.core.detection.threads import cpu_threads
from anonator.core.frames import Float32Array, UInt8Array

TOP_K = 4096
"""Candidates of one picture that reach NMS; 800 faces at once raise about this many."""
UPLOAD_CHUNK = 4
"""Pictures of a batch that go to a GPU together: while it works on them, the next are made ready."""
MOST_OF_IT = 0.6
"""Where one look takes a larger part of all that is to be done than this, the others wait for it."""
QUICK = 256 * 256
"""Looks of at most so many pixels wait for no others: another thread can't go on without the answer."""
CACHED_SIZES = 16
"""Picture sizes whose priors and means are kept."""


Seen: TypeAlias = tuple[Sequence[Pass], list[Float32Array]]
"""The passes over one picture, and what each found, (K, 5): xyxy in 0..1 of the turned picture, and score."""
Further: TypeAlias = Callable[[list[Float32Array]], Sequence[Pass]]
"""What else one picture is worth looking at, by what its first passes found."""


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """A picture, and how the network is to look at it."""

    picture: UInt8Array
    """(H, W, 3) RGB, or grey (H, W)."""
    size: tuple[int, int]
    """Width and height at which the network sees it, without padding."""
    passes: Sequence[Pass]
    """How often and how it is looked at first."""
    layout: Layout | None
    """For passes that see its parts apart."""
    further: Further
    """Asked about more passes, where these may depend on an answer; see asks_further."""


class ImpossibleNumbersError(RuntimeError):
    """The network's answer holds NaN or infinity."""


class Inference:
    """Runs one network on one device, and can move it to another.

    On a CPU, several threads may look at the same time. Close it to free its threads and a GPU's memory.
    """

    def __init__(
        self,
        network: FaceNetwork,
        *,
        device: torch.device,
        dtype: torch.dtype,
        score_floor: float,
        threads: int | None = None,
        means: tuple[float, float, float] = RGB_MEANS,
        interpolation: int | None = None,
    ) -> None:
        """Take over a network with loaded weights; the caller must not use it again.

        Args:
            network: float32, on the CPU.
            device: where to run.
            dtype: float32, bfloat16 or float16.
            score_floor: candidates under this score are left out.
            threads: of the CPU; None leaves some to the encoder.
            means: of the channels, in RGB order, which are subtracted.
            interpolation: OpenCV's resizing method; None chooses area for shrinking, bilinear for enlarging.
        """
        self._score_floor = score_floor
        self._means, self._interpolation = means, interpolation
        self._of_this_thread = threading.local()
        self._hooks: list[RemovableHandle] = []
        network.prepare()
        count = cpu_threads() if threads is None else max(1, threads)
        self._alone, self._quick = Workers(1, count), Workers(1, 1)
        side_by_side = min(count, CPU_BATCH_LIMIT)
        self.workers = Workers(side_by_side, count // side_by_side)
        """Threads for what concerns one picture each."""
        self.network: FaceNetwork | None = network.to(memory_format=torch.channels_last)
        """None once it is closed."""
        self.move(device, dtype)

    def move(self, device: torch.device, dtype: torch.dtype) -> None:
        """Continue on another device or in another number format."""
        assert self.network is not None
        self.device, self.dtype = device, dtype
        self.network = self.network.to(device=device, dtype=dtype)
        self._constants: dict[tuple[int, int], tuple[Tensor, Tensor]] = {}
        if device.type == "cpu":
            fuse_for_cpu(self.network)
        layers = [m for m in self.network.modules() if isinstance(m, (nn.Conv2d, FusedConvolution))]
        # a light network's layers are so quick that a call before each of them would slow it down
        for hook in self._hooks:
            hook.remove()
        self._hooks = [
            layer.register_forward_pre_hook(self._may_go_on)
            for layer in (*layers[:: 5 if self.network.light else 1], *self.network.pauses)
        ]

    def _may_go_on(self, *_: object) -> None:
        checkpoint = getattr(self._of_this_thread, "checkpoint", None)
        if checkpoint is not None:
            checkpoint()

    @property
    def at_once(self) -> int:
        """Number of pictures that keeps the CPU busy; a heavy network has memory for only one."""
        return self.workers.count if self.network is not None and self.network.light else 1

    @property
    def asks_further(self) -> bool:
        """Whether what the first passes find may decide on others; on a GPU nothing waits for an answer."""
        return self.device.type != "cuda"

    def is_quick(self, pixels: Sequence[int]) -> bool:
        """Whether looks at so many pixels each have a thread of their own, and wait for no others."""
        # OpenVINO makes a model for each size that it is told to expect, and for one caller at a time
        light = isinstance(self.network, RetinaFaceNetwork) and self.network.light
        return light and self.device.type == "cpu" and max(pixels, default=0) <= QUICK

    def expect(self, size: tuple[int, int]) -> None:
        """Tell the network the width and height of the pictures to come."""
        assert self.network is not None
        self.network.expect(size)

    def close(self) -> None:
        """Free the network, the threads, and what is held on the device."""
        self.network = None
        self._constants.clear()
        self.workers.close()
        self._alone.close()
        self._quick.close()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()

    def look(self, requests: Sequence[Request], checkpoint: Callable[[], None] | None = None) -> list[Seen]:
        """Look at every picture in every pass.

        Args:
            requests: on a GPU, all of one size and with the same passes.
            checkpoint: called between layers of the network, in any thread; may raise to end the call.

        Raises:
            ImpossibleNumbersError: the network's answer is not finite.
        """
        if self.device.type != "cuda":
            return self._look_on_cpu(requests, checkpoint)
        with self._stopping(checkpoint):
            return self._look_on_cuda(requests)

    @contextlib.contextmanager
    def _stopping(self, checkpoint: Callable[[], None] | None) -> Iterator[None]:
        """Between its layers, what the network does in this thread calls checkpoint."""
        self._of_this_thread.checkpoint = checkpoint
        try:
            yield
        finally:
            self._of_this_thread.checkpoint = None

    def _run(self, batch: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(N, h, w, 3) uint8 on the device through the network: regressions, float32 logits, priors."""
        assert self.network is not None
        n, height, width = batch.shape[:3]
        key = height, width
        found = self._constants.get(key)
        if found is None:
            if len(self._constants) >= CACHED_SIZES:
                self._constants.clear()
            # whole rows: with a last axis of three, a CPU would subtract one number at a time
            means = torch.tensor(self._means * width, dtype=self.dtype, device=self.device)
            found = self._constants[key] = self.network.priors(height, width).to(self.device), means
        priors, means = found
        rows = batch.reshape(n, height, 3 * width) - means
        # an NHWC picture seen as NCHW is channels_last already
        regressions, logits = self.network(rows.view(n, height, width, 3).permute(0, 3, 1, 2))
        return regressions, logits.float(), priors

    def _look_on_cpu(self, requests: Sequence[Request], checkpoint: Callable[[], None] | None) -> list[Seen]:
        """A worker for each look, or all threads for the only one."""
        staged = self.workers.map(
            lambda each: _Sizes(stage(each.picture, each.size, self._means, self._interpolation)), requests
        )
        layouts = [each.layout for each in requests]
        plans = [list(each.passes) for each in requests]
        found = self._look_at_all(staged, plans, layouts, checkpoint)
        if self.asks_further:
            more = [list(each.further(faces)) for each, faces in zip(requests, found, strict=True)]
            others = self._look_at_all(staged, more, layouts, checkpoint)
            for plan, faces, new, seen in zip(plans, found, more, others, strict=True):
                plan += new
                faces += seen
        return list(zip(plans, found, strict=True))

    def _look_at_all(
        self,
        staged: Sequence[_Sizes],
        plans: Sequence[Sequence[Pass]],
        layouts: Sequence[Layout | None],
        checkpoint: Callable[[], None] | None,
    ) -> list[list[Float32Array]]:
        looks = []
        for picture, plan, layout in zip(staged, plans, layouts, strict=True):
            for p in plan:
                seen = picture.halved(p.halvings)
                looks.append((layout.spread(seen) if p.apart and layout else seen, p.turns))
        if not looks:
            return [[] for _ in plans]
        sizes = [picture.shape[0] * picture.shape[1] for picture, _ in looks]
        # threads that share a picture wait for each other after every layer: only if one is most of it
        several = self.at_once > 1 and max(sizes) <= MOST_OF_IT * sum(sizes)
        workers = self._quick if self.is_quick(sizes) else self.workers if several else self._alone

        def look(picture: UInt8Array, turns: int) -> Float32Array:
            with self._stopping(checkpoint):
                return self._look_once(picture, turns)

        # the largest first, so that the workers end at about the same time
        order = sorted(range(len(looks)), key=lambda i: -sizes[i])
        answers = workers.map(look, *zip(*(looks[i] for i in order), strict=True))
        found = dict(zip(order, answers, strict=True))
        numbers = iter(range(len(looks)))
        return [[found[next(numbers)] for _ in plan] for plan in plans]

    @torch.inference_mode()
    def _look_once(self, picture: UInt8Array, quarter_turns: int) -> Float32Array:
        turned = torch.from_numpy(turn(picture, quarter_turns))
        regressions, logits, priors = self._run(turned[None])
        if not (torch.isfinite(logits).all() and torch.isfinite(regressions).all()):
            raise ImpossibleNumbersError("the network's answer is not finite")
        floor = math.log(self._score_floor / (1 - self._score_floor))
        index = (logits[0] >= floor).nonzero().flatten()
        if len(index) > TOP_K:
            index = index[logits[0, index].topk(TOP_K).indices]
        faces = decode(regressions[0, index].float(), priors[index])
        return torch.cat([faces, logits[0, index].sigmoid()[:, None]], dim=1).numpy()

    @torch.inference_mode()
    def _look_on_cuda(self, requests: Sequence[Request]) -> list[Seen]:
        """On a GPU nothing waits until all looks at a batch have been queued."""
        size, passes = requests[0].size, requests[0].passes
        w, h = padded(size)

        def fill(request: Request, target: UInt8Array) -> None:
            stage(request.picture, size, self._means, self._interpolation, target)

        waiting: list[list[Tensor]] = []
        for start in range(0, len(requests), UPLOAD_CHUNK):
            chunk = requests[start : start + UPLOAD_CHUNK]
            # torch gives pinned memory out again only when the copies from it have ended
            pinned = torch.empty((len(chunk), h, w, 3), dtype=torch.uint8, pin_memory=True)
            self.workers.map(fill, chunk, pinned.numpy())
            batch = pinned.to(self.device, non_blocking=True)
            sizes = [batch]
            for _ in range(max(p.halvings for p in passes)):
                sizes.append(halve_batch(sizes[-1], self.dtype))
            looks = [
                self._candidates_apart(pinned.numpy(), [each.layout for each in chunk])
                if p.apart
                else self._candidates(torch.rot90(sizes[p.halvings], p.turns, (1, 2)))
                for p in passes
            ]
            waiting += [[rows[i] for rows in looks] for i in range(len(chunk))]
        torch.cuda.synchronize(self.device)  # the only wait of a batch
        return [(passes, [self._read(rows.numpy()) for rows in looks]) for looks in waiting]

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

        pinned = self.workers.map(spread, pictures, layouts)
        return [self._candidates(p[None].to(self.device, non_blocking=True))[0] for p in pinned]

    def _read(self, rows: Float32Array) -> Float32Array:
        """The candidates above the floor; the last row says whether the network's answer was finite."""
        if not rows[-1, 0]:
            raise ImpossibleNumbersError("the network's answer is not finite")
        candidates = rows[:-1]
        return candidates[candidates[:, 4] >= self._score_floor]


class _Sizes:
    """A picture as the network sees it, and its smaller sizes, each made when it is first asked for."""

    def __init__(self, picture: UInt8Array) -> None:
        self._sizes = [picture]

    def halved(self, times: int) -> UInt8Array:
        while len(self._sizes) <= times:
            self._sizes.append(halve(self._sizes[-1]))
        return self._sizes[times]
