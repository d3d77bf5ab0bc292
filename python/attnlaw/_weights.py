"""Weights of models as `inspect` takes them: arrays of NumPy, state dicts of torch and safetensors, modules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attnlaw._errors import OptionError

# What NumPy has no type for, and the whole numbers of the same size that carry its bits.
_TORCH_ONLY = {"bfloat16": "BF16", "float8_e4m3fn": "F8_E4M3", "float8_e5m2": "F8_E5M2"}
_NUMPY = {
    "f8": "F64",
    "f4": "F32",
    "f2": "F16",
    "i8": "I64",
    "i4": "I32",
    "i2": "I16",
    "i1": "I8",
    "u1": "U8",
    "b1": "BOOL",
}

Described = tuple[str, str, list[int], NDArray[np.uint8]]


def are_weights(value: Any) -> bool:
    """Whether a value is weights rather than the path of a file."""
    return isinstance(value, Mapping | list | tuple) or hasattr(value, "state_dict") or hasattr(value, "__array__")


def of_model(value: Any) -> tuple[list[Described], dict[str, Any] | None]:
    """The tensors of a state dict or of a module of torch, and the configuration that the module carries."""
    config = getattr(getattr(value, "config", None), "to_dict", lambda: None)()
    state = value.state_dict() if hasattr(value, "state_dict") else value
    if not isinstance(state, Mapping):
        raise OptionError("weights are a state dict, or arrays q and k", "checkpoint", value)
    return [_described(str(name), tensor) for name, tensor in state.items()], config


def of_maps(q: Any, k: Any, heads: int | None) -> tuple[list[Described], int | None]:
    """The query and key maps of the heads of one layer: arrays of shape (heads·m, d) or (heads, m, d)."""
    if q is None or k is None:
        raise OptionError("q and k are given together", "q" if q is None else "k", None)
    q, k = (_of_list(name, array) for name, array in (("q", q), ("k", k)))
    shapes = [np.shape(array) for array in (q, k)]
    if any(len(shape) not in (2, 3) for shape in shapes):
        raise OptionError(
            f"q and k have the shape (heads*m, d) or (heads, m, d), got {shapes[0]} and {shapes[1]}", "q", q
        )
    if shapes[0][-1] != shapes[1][-1]:
        raise OptionError(
            f"k must read the same residual vector as q, of d = {shapes[0][-1]}, got d = {shapes[1][-1]}", "k", k
        )
    if [len(shape) for shape in shapes] == [3, 3] and shapes[0][1] != shapes[1][1]:
        raise OptionError(f"k must have heads of m = {shapes[0][1]} rows as q, got m = {shapes[1][1]}", "k", k)
    if heads is None and len(shapes[0]) == 2:
        raise OptionError("heads is required where q has the shape (heads*m, d)", "heads", None)
    if len(shapes[0]) == 3:
        if heads is not None and heads != shapes[0][0]:
            raise OptionError(f"q has {shapes[0][0]} heads by its shape, got heads = {heads}", "heads", heads)
        heads = int(shapes[0][0])
    return [_described("q", _flat(q)), _described("k", _flat(k))], heads


def _of_list(name: str, array: Any) -> Any:
    """Nested lists of numbers as an array; all else as it is."""
    if not isinstance(array, list | tuple):
        return array
    try:
        return np.asarray(array, dtype=float)
    except (TypeError, ValueError):
        raise OptionError(f"{name} must be numbers in lists of one length", name, None) from None


def _flat(array: Any) -> Any:
    shape = np.shape(array)
    return array.reshape(shape[0] * shape[1], shape[2]) if len(shape) == 3 else array


def _described(name: str, tensor: Any) -> Described:
    kind, array = _from_torch(tensor) if hasattr(tensor, "detach") else ("", np.asarray(tensor))
    if not kind:
        if array.dtype.kind not in "fiub" or (kind := _NUMPY.get(array.dtype.str[1:], "")) == "":
            raise OptionError(f"the weights {name} have the type {array.dtype}, which is not read", name, None)
        array = array.astype(array.dtype.newbyteorder("<"), copy=False)
    shape = list(array.shape)
    return name, kind, shape, np.ascontiguousarray(array).reshape(-1).view(np.uint8)


def _from_torch(tensor: Any) -> tuple[str, NDArray[Any]]:
    """A tensor's numbers where they lie, if they lie in the memory of the processor, in order."""
    tensor = tensor.detach().cpu().contiguous()
    kind = _TORCH_ONLY.get(str(tensor.dtype).removeprefix("torch."), "")
    if kind:
        import torch

        tensor = tensor.view(torch.int16 if kind == "BF16" else torch.int8)
    # Unlike tensor.numpy() this asks nothing of the NumPy that torch was built for.
    return kind, np.from_dlpack(tensor)
