"""Makes trained networks faster without changing what they compute: folds batch norms and activations
into convolutions.

The only module that uses private interfaces of PyTorch. Each is tried before it is relied on.
"""

from __future__ import annotations

import logging
import platform
from collections.abc import Callable
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

log = logging.getLogger(__name__)

SMALL_WEIGHT = 512 * 1024
"""Bytes up to which a layer's weights are packed for each size of picture."""
PACKED_SIZES = 24
"""So many sizes each layer keeps; those of all layers of the small network take 2 MB for each."""


def fold_batch_norms(module: nn.Module) -> None:
    """Merge every batch norm that directly follows a convolution into it, in place.

    Sequentials are paired by order, ResNet blocks (conv1/bn1 ...) by name.
    """
    for child in module.children():
        fold_batch_norms(child)
    names = list(module._modules)
    pairs = list(pairwise(names)) if isinstance(module, nn.Sequential) else []
    pairs += [(n, n.replace("conv", "bn")) for n in names if n.startswith("conv")]
    for conv_name, norm_name in pairs:
        conv, norm = module._modules.get(conv_name), module._modules.get(norm_name)
        if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
            module._modules[conv_name] = _with_norm(conv, norm)
            module._modules[norm_name] = nn.Identity()


def _with_norm(conv: nn.Conv2d, norm: nn.BatchNorm2d) -> nn.Conv2d:
    if not conv.weight.is_meta:
        return fuse_conv_bn_eval(conv, norm)
    # there are no numbers yet, and arithmetic with none takes PyTorch's compiler along: a second or two
    place = nn.Conv2d(
        conv.in_channels,
        conv.out_channels,
        cast(tuple[int, int], conv.kernel_size),
        cast(tuple[int, int], conv.stride),
        cast(tuple[int, int], conv.padding),
        cast(tuple[int, int], conv.dilation),
        conv.groups,
        device="meta",
    )
    return place.eval()


def take_rgb(network: nn.Module) -> None:
    """Make a network trained on BGR take RGB, by reversing its first convolution."""
    first = next(m for m in network.modules() if isinstance(m, nn.Conv2d) and m.in_channels == 3)
    with torch.no_grad():
        first.weight.copy_(first.weight.flip(1).clone())


class FusedConvolution(nn.Module):
    """A convolution with packed weights that applies its activation while the result is in the registers.

    Packed weights spare a reordering at every call, but only in the order that oneDNN takes for the size of
    the picture and the number of threads: bringing one into another took 6 of the 34 ms that the small
    network needs for 640x480 (2026-11-27, one core of an AMD EPYC). So small weights are packed for each
    size; those of large networks take more memory, and little of a pass.
    """

    def __init__(self, conv: nn.Conv2d, activation: nn.Module | None) -> None:
        super().__init__()
        self._pack, self._convolve = _private_operators()
        self._geometry = (conv.padding, conv.stride, conv.dilation, conv.groups)
        self._weight = conv.weight.detach().to_mkldnn()
        self._by_size = conv.weight.nbytes <= SMALL_WEIGHT
        self._packed: dict[tuple[object, ...], Tensor] = {}
        if not self._by_size:
            self._weight = self._pack(self._weight, *self._geometry, [])
        self._bias = None if conv.bias is None else conv.bias.detach()
        slope = getattr(activation, "negative_slope", 0.0)
        self._activation: tuple[str, list[float]] = ("none", [])
        if activation is not None:
            self._activation = ("leaky_relu", [slope]) if slope else ("relu", [])

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) in, (N, C', H', W') out, both channels_last."""
        weight = self._packed_for(x) if self._by_size else self._weight
        return self._convolve(x, weight, self._bias, *self._geometry, *self._activation, "")

    def _packed_for(self, x: Tensor) -> Tensor:
        key = (*x.shape, torch.get_num_threads())
        packed = self._packed.get(key)
        if packed is None:
            packed = self._pack(self._weight, *self._geometry, list(x.shape))
            if len(self._packed) >= PACKED_SIZES:
                self._packed.clear()  # several threads may be here: taking out the oldest would need a lock
            self._packed[key] = packed
        return packed


def computes_in_bfloat16() -> bool:
    """Whether this processor has bfloat16; also False if PyTorch no longer says."""
    try:
        return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    except (AttributeError, RuntimeError):
        return False


def has_bfloat16_instructions() -> bool:
    """Whether this processor has instructions for bfloat16, without which it can't be faster than float32.

    oneDNN also computes in bfloat16 on every processor with AVX-512, by conversions that make it twice as
    slow: 17 ms instead of 8 for the small network's trial picture, and 5.5 with the instructions (2026-11-26,
    one core of an AMD EPYC, with and without ONEDNN_MAX_CPU_ISA=AVX512_CORE_VNNI). Instructions are no
    promise: on an Intel Xeon that has them, but not AMX, a picture took 151 ms in bfloat16 and 101 in float32
    (2026-11-27, one core).
    """
    if not computes_in_bfloat16():
        return False
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return True  # elsewhere oneDNN asks for the instructions themselves
    try:
        can = torch.cpu.get_capabilities()
        return bool(can.get("avx512_bf16") or can.get("amx_bf16"))
    except AttributeError:  # PyTorch before 2.10
        names = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
        return any(getattr(torch.cpu, name, bool)() for name in names)


def fuse_for_cpu(network: nn.Module) -> None:
    """Turn the convolutions of a folded CPU network in float32 or bfloat16 into fused ones, in place.

    The network must not be moved or converted afterwards. Where oneDNN is missing, or this PyTorch fuses in
    another way, nothing is changed: the plain layers compute the same, only slower.
    """
    weight = next(network.parameters(), None)
    if weight is None:
        return  # all are fused already
    fast = weight.dtype == torch.float32 or (weight.dtype == torch.bfloat16 and computes_in_bfloat16())
    if fast and _fusion_works(weight.dtype):
        _fuse_children(network)


def _private_operators() -> tuple[Callable[..., Tensor], Callable[..., Tensor]]:
    """The operators behind torch.compile that pack weights and convolve with them.

    Raises:
        AttributeError: this PyTorch does not have them.
    """
    return torch._C._nn.mkldnn_reorder_conv2d_weight, torch.ops.mkldnn._convolution_pointwise


@torch.inference_mode()
def _fusion_works(dtype: torch.dtype) -> bool:
    """Whether a small fused convolution gives what the plain one gives; nothing guarantees that it always
    will."""
    if not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return False
    draw = torch.Generator().manual_seed(1)
    conv = nn.Conv2d(8, 16, 3, padding=1)
    for parameter in conv.parameters():
        parameter.copy_(torch.rand(parameter.shape, generator=draw) - 0.5)
    conv = conv.to(dtype=dtype, memory_format=torch.channels_last)  # type: ignore[call-overload]
    x = torch.rand(1, 8, 16, 16, generator=draw).to(dtype=dtype, memory_format=torch.channels_last)
    for activation in (None, nn.ReLU(), nn.LeakyReLU(0.1)):
        plain = conv(x) if activation is None else activation(conv(x))
        try:
            same = torch.allclose(FusedConvolution(conv, activation)(x), plain, rtol=0.02, atol=0.02)
        except (AttributeError, RuntimeError, TypeError) as exc:
            log.warning("convolutions are not fused: %s", exc)
            return False
        if not same:
            log.warning("convolutions are not fused: they would compute something else")
            return False
    return True


def _fuse_children(module: nn.Module) -> None:
    if isinstance(module, nn.Sequential):
        _drop_identities(module)
    names = list(module._modules)
    for name, after in zip(names, [*names, None][1:], strict=True):
        child = module._modules[name]
        if isinstance(child, nn.Conv2d):
            following = module._modules[after] if after is not None else None
            # only a Sequential says that what comes next in the list comes next in the computation
            fits = isinstance(module, nn.Sequential) and isinstance(following, (nn.ReLU, nn.LeakyReLU))
            module._modules[name] = FusedConvolution(child, following if fits else None)
            if fits and after is not None:
                module._modules[after] = nn.Identity()
        elif child is not None:
            _fuse_children(child)
    if isinstance(module, nn.Sequential):
        _drop_identities(module)


def _drop_identities(sequence: nn.Sequential) -> None:
    kept = [layer for layer in sequence if not isinstance(layer, nn.Identity)]
    sequence._modules.clear()
    sequence._modules.update({str(i): layer for i, layer in enumerate(kept)})
