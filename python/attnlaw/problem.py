"""One learning problem."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from typing import Any

from attnlaw import _core, _documentation, _options, _schema, custom
from attnlaw._errors import option_errors


class _Documentation:
    """The docstring of a problem, made when somebody asks for it."""

    def __get__(self, instance: object, owner: object = None) -> str:
        return _documentation.of_problem()


class _Signature:
    """The options of a problem as keyword arguments."""

    def __get__(self, instance: object, owner: object = None) -> inspect.Signature:
        keyword = inspect.Parameter.KEYWORD_ONLY
        return inspect.Signature(
            [inspect.Parameter(_schema.to_keyword(name), keyword, default=None) for name in _schema.problem_fields()]
        )


class Problem:
    __doc__ = _Documentation()
    __signature__ = _Signature()
    __slots__ = ("_document", "_options")
    _options: dict[str, Any]
    _document: dict[str, Any]

    def __init__(self, **options: Any) -> None:
        named = _options.named(options, _schema.problem_fields(), "a problem")
        given = _options.document(named, _schema.problem_fields())
        with option_errors(given):
            document = _core.problem(given)
        object.__setattr__(self, "_options", custom.objects(named, given))
        object.__setattr__(self, "_document", document)

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Problem:
        """The problem of a document, as ``to_dict`` and JSON results of the program have it."""
        return cls(**{_schema.to_keyword(name.replace("-", "_")): value for name, value in document.items()})

    def to_dict(self) -> dict[str, Any]:
        """All options by their names in documents, those that were left out with their defaults."""
        return dict(self._document)

    def options(self) -> dict[str, Any]:
        """The options that were given, by their names in documents."""
        return dict(self._options)

    def replace(self, **options: Any) -> Problem:
        """The same problem with other options; None takes an option back to its default."""
        changes = _options.named(options, _schema.problem_fields(), "a problem")
        merged = self._options | changes
        return Problem(**{_schema.to_keyword(name): value for name, value in merged.items() if value is not None})

    def __getattr__(self, name: str) -> Any:
        option = _schema.from_keyword(name)
        # Copies and pickles look for attributes before there are any.
        if name.startswith("_") or option not in _schema.problem_fields():
            raise AttributeError(f"a problem has no option '{name}'")
        return self._document.get(option)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"a problem does not change; problem.replace({name}=...) makes another one")

    def __delattr__(self, name: str) -> None:
        raise AttributeError("a problem does not change")

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *(_schema.to_keyword(name) for name in _schema.problem_fields())]

    def __repr__(self) -> str:
        given = ", ".join(f"{_schema.to_keyword(name)}={value!r}" for name, value in self._options.items())
        return f"Problem({given})"

    def _key(self) -> tuple[Any, ...]:
        # Losses and penalties of one's own are the same where their functions are: names tell copies apart.
        own = {name: value for name, value in self._options.items() if isinstance(value, custom.Loss | custom.Penalty)}
        document = dict(self._document)
        if own:
            document["loss"] = "" if "loss" in own else document["loss"].split("+")[0]
        parts = sorted((name, *value._key()) for name, value in own.items())
        return json.dumps(document, sort_keys=True), *parts

    def __eq__(self, other: object) -> bool:
        return self._key() == other._key() if isinstance(other, Problem) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._key())

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (self._options,)


def _restore(options: Mapping[str, Any]) -> Problem:
    return Problem.from_dict(options)
