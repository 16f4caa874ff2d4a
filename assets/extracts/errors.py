"""The two ways in which an extract can fail, and how a wrong configuration file is explained."""

from difflib import get_close_matches
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError


class ExtractError(Exception):
    """The landing as a whole cannot be read; one clear sentence."""


class ConfigurationError(ExtractError):
    """A contract or a profile is wrong; one sentence naming file, key and what is allowed."""


class RefusedFileError(Exception):
    """One file cannot be read at all and is refused whole; one clear sentence."""


def explain(name: str, error: Exception, model: type[BaseModel]) -> str:
    """One sentence for a file that does not validate: file, key, what is wrong, what is allowed."""
    if not isinstance(error, ValidationError):
        return f"{name}: is not valid YAML ({' '.join(str(error).split())}); mend it."
    first = error.errors()[0]
    where = list(first["loc"])
    key = ".".join(str(part) for part in where)
    if first["type"] != "extra_forbidden":
        ours = first["msg"].removeprefix("Value error, ").rstrip(".")
        said = ours if first["type"] == "value_error" else ours[:1].lower() + ours[1:]
        return ": ".join(part for part in (name, key, said) if part) + "."
    allowed = sorted(_fields_at(model, where[:-1]))
    close = get_close_matches(str(where[-1]), allowed, n=1)
    hint = f" did you mean {close[0]}?" if close else ""
    return f"{name}: {key}: no such key;{hint} Allowed are {', '.join(allowed)}."


def _fields_at(model: type[BaseModel], where: list[Any]) -> set[str]:
    """The keys that are allowed at a place in a nested model."""
    current: Any = model
    for part in where:
        if isinstance(current, type) and issubclass(current, BaseModel) and part in _names(current):
            current = _names(current)[part]
        else:
            current = _inner(current)
    current = _unwrap(current)
    is_model = isinstance(current, type) and issubclass(current, BaseModel)
    return set(_names(current)) if is_model else set()


def _names(model: type[BaseModel]) -> dict[str, Any]:
    return {f.alias or name: _unwrap(f.annotation) for name, f in model.model_fields.items()}


def _unwrap(annotation: Any) -> Any:
    """`X | None` to X."""
    if get_origin(annotation) in (Union, UnionType):
        return next(arg for arg in get_args(annotation) if arg is not type(None))
    return annotation


def _inner(annotation: Any) -> Any:
    """What a mapping or a sequence holds."""
    arguments = [arg for arg in get_args(annotation) if arg is not Ellipsis]
    return _unwrap(arguments[-1]) if arguments else annotation
