#!/usr/bin/env python3
"""Time and memory of `attnlaw inspect` on a checkpoint of the shape of a 7B model.

Usage: build/python/bin/python3 bench/inspect_checkpoint.py FOLDER [--program FILE] [--threads N]

FOLDER must not exist; it is removed at the end. It gets 32 layers of 32 heads, d = 4096, BF16, in eight shards of 13 GB
together. Queries and keys hold random numbers, 2.1 GB on the disk; all else is there with its size alone.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

LAYERS, HEADS, SHARDS = 32, 32, 8
WIDTH, INNER = 4096, 11008
BYTES = 2
#: Numbers that tensors are cut from, each from a place of its own.
STOCK = 1 << 25


def tensors_of(layer: int) -> dict[str, tuple[int, int]]:
    """Names and shapes of a layer of LLaMA."""
    stem = f"model.layers.{layer}."
    attention = {f"{stem}self_attn.{name}_proj.weight": (WIDTH, WIDTH) for name in "qkvo"}
    between = {f"{stem}mlp.{name}_proj.weight": (INNER, WIDTH) for name in ("gate", "up")}
    return attention | between | {f"{stem}mlp.down_proj.weight": (WIDTH, INNER)}


def normal_numbers() -> Any:
    """As BF16: the upper halves of float32."""
    numbers = np.random.default_rng(1).standard_normal(STOCK, dtype=np.float32)
    return (numbers.view(np.uint32) >> 16).astype(np.uint16)


def write_shard(path: Path, layers: range, numbers: Any) -> list[str]:
    header: dict[str, object] = {}
    drawn: list[tuple[int, int]] = []
    end = 0
    for layer in layers:
        for name, axes in tensors_of(layer).items():
            begin, end = end, end + axes[0] * axes[1] * BYTES
            header[name] = {"dtype": "BF16", "shape": axes, "data_offsets": (begin, end)}
            if ".q_proj." in name or ".k_proj." in name:
                drawn.append((begin, axes[0] * axes[1]))
    text = json.dumps(header).encode()
    data = 8 + len(text)
    places = np.random.default_rng(layers.start).integers(0, STOCK, len(drawn))
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for (begin, count), place in zip(drawn, places, strict=True):
            file.seek(data + begin)
            file.write(np.take(numbers, np.arange(place, place + count), mode="wrap").tobytes())
        file.truncate(data + end)
    return list(header)


def write_model(folder: Path) -> None:
    folder.mkdir(parents=True)
    numbers = normal_numbers()
    shards: dict[str, str] = {}
    each = LAYERS // SHARDS
    for shard in range(SHARDS):
        name = f"model-{shard + 1:05}-of-{SHARDS:05}.safetensors"
        written = write_shard(folder / name, range(shard * each, (shard + 1) * each), numbers)
        shards |= dict.fromkeys(written, name)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": shards}))
    config = {"model_type": "llama", "num_attention_heads": HEADS, "hidden_size": WIDTH}
    (folder / "config.json").write_text(json.dumps(config))


def measured(command: list[str]) -> str:
    """Times, and the peak of resident memory, in which mapped pages of files count too."""
    begin = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begin
    if code := os.waitstatus_to_exitcode(status):
        sys.exit(f"{' '.join(command)} ended with {code}")
    return (
        f"{seconds:.1f} s on the clock, {used.ru_utime:.1f} s of user and {used.ru_stime:.1f} s of system CPU time, "
        f"{used.ru_maxrss / 1024:.0f} MB of memory at most"
    )


def main() -> None:
    program = Path(__file__).resolve().parent.parent / "build/release/app/attnlaw"
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--program", default=str(program))
    parser.add_argument("--threads", default="0")
    options = parser.parse_args()
    if options.folder.exists():
        sys.exit(f"{options.folder} is there already")
    try:
        write_model(options.folder)
        files = [file.stat() for file in options.folder.iterdir()]
        size, room = sum(file.st_size for file in files), sum(512 * file.st_blocks for file in files)
        load = os.getloadavg()[0]
        print(f"{size / 1e9:.1f} GB, {room / 1e9:.1f} GB of them on the disk; load of the machine {load:.1f}")
        command = [options.program, "inspect", str(options.folder), "--threads", options.threads, "--format", "csv"]
        print(measured(command))
    finally:
        shutil.rmtree(options.folder, ignore_errors=True)


if __name__ == "__main__":
    main()
