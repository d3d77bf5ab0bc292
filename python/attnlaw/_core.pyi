"""The module in C++ (python/core). The files of this package give its functions their types."""

from typing import Any

def __getattr__(name: str) -> Any: ...
