"""Exceptions and warnings of the package, in the words of Python."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attnlaw import _schema


class OptionError(ValueError):
    """An option that is not accepted.

    Attributes
    ----------
    option : str or None
        The keyword argument that is at fault, where the message is about one.
    value : object
        What was given for it; None if it was left out.
    """

    def __init__(self, message: str, option: str | None = None, value: object = None) -> None:
        super().__init__(message)
        self.option = option
        self.value = value

    def __reduce__(self) -> tuple[type[OptionError], tuple[str, str | None, object]]:
        return type(self), (str(self), self.option, self.value)


class AttnlawWarning(UserWarning):
    """What a result says beside its figures: lines that the program prints under its tables."""


def in_python(message: str) -> str:
    """A message of the library with the names of options as Python writes them: ``along`` for ``--along``."""
    return re.sub(
        r"(?<![\w.-])--([a-z][a-z0-9]*(?:-[a-z0-9]+)*)",
        lambda match: _schema.to_keyword(match[1].replace("-", "_")),
        message,
    )


def option_error(message: str, options: Mapping[str, Any]) -> OptionError:
    """The exception for a message, which begins with the name of an option or quotes it."""
    text = in_python(message)
    words = [_schema.from_keyword(word) for word in re.findall(r"[A-Za-z_][A-Za-z0-9_]*", text)]
    quoted = re.match(r"unknown key '([^']*)'", message)
    first = quoted[1] if quoted else words[0] if words else ""
    if first not in options and not text.startswith(f"{first} is required"):
        # A sentence about several options: the first that was given.
        first = next((word for word in words if word in options), "")
    return OptionError(text, _schema.to_keyword(first) or None, options.get(first))


@contextmanager
def option_errors(options: Mapping[str, Any]) -> Iterator[None]:
    """Turns the ValueError of the library into OptionError."""
    try:
        yield
    except OptionError:
        raise
    except ValueError as error:
        if _of_a_callable(error):
            raise
        raise option_error(str(error), options) from None


def _of_a_callable(error: BaseException) -> bool:
    """Whether a function that the library has called raised it: then the last frame is not that of a call of it."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return False
    file = Path(trace.tb_frame.f_code.co_filename)
    return file.name == "custom.py" or file.parent != Path(__file__).parent
