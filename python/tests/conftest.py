"""What the tests of the package share."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from importlib import util
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# A machine may be busy: nothing here is about the time that one example takes.
settings.register_profile(
    "attnlaw", deadline=None, derandomize=True, max_examples=40, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("attnlaw")

Program = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def program() -> Program:
    """Runs the program of the same build and returns its JSON document."""
    path = os.environ.get("ATTNLAW_PROGRAM")
    if not path:
        pytest.skip("ATTNLAW_PROGRAM does not name the program of this build")

    def run(*arguments: str) -> dict[str, Any]:
        done = subprocess.run([path, *arguments, "--format", "json"], capture_output=True, text=True, check=False)
        assert done.returncode in (0, 1), done.stderr
        document: dict[str, Any] = json.loads(done.stdout)
        return document

    return run


@pytest.fixture(scope="session")
def python() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs a piece of Python in a process of its own, and fails if that fails."""

    def run(code: str, environment: dict[str, str] | None = None, timeout: float = 60) -> Any:
        done = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
            env=os.environ | (environment or {}),
        )
        assert done.returncode == 0, done.stderr
        return done

    return run


@pytest.fixture(scope="session")
def torch(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder to import torch from: that of this Python, or Debian's where it is for the same version of Python."""
    if found := util.find_spec("torch"):
        return str(Path(found.origin or "").parents[1])
    debian = Path("/usr/lib/python3/dist-packages")
    if not (debian / "torch" / "lib").exists():
        pytest.skip("torch is not installed (Debian: python3-torch)")
    # Debian's NumPy shall not come with it.
    folder = tmp_path_factory.mktemp("torch")
    for name in ("torch", "torchgen", "functorch", "typing_extensions.py"):
        if (debian / name).exists():
            (folder / name).symlink_to(debian / name)
    trial = [sys.executable, "-c", "import torch"]
    environment = os.environ | {"PYTHONPATH": f"{os.environ.get('PYTHONPATH', '')}:{folder}"}
    if subprocess.run(trial, capture_output=True, check=False, env=environment).returncode != 0:
        pytest.skip("Debian's torch is not for this Python")
    return str(folder)


@pytest.fixture
def npy(tmp_path: Path) -> Callable[[str, Any], str]:
    """Writes an array to a file."""
    import numpy as np

    def write(name: str, array: Any) -> str:
        path = tmp_path / name
        np.save(path, array)
        return str(path)

    return write
