"""What an object is, by content: a hash that changes with everything that its answers depend on."""

from __future__ import annotations

import functools
import hashlib
import inspect
import sys
import sysconfig
import types
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from importlib.metadata import packages_distributions, version
from typing import Any

import numpy as np
import torch

from shaketable.version import __version__

_DEEPEST = 40


class Unknown(Exception):  # noqa: N818  (an answer, not an error)
    """Something has no content that can be read."""


def content_sha256(value: object) -> str | None:
    """Hash numbers, arrays, settings, weights and code, however they are nested.

    Functions count with their code, defaults, what they close over and the globals they name;
    objects with their class and attributes; what comes from an installed package with the package's
    version. None where something inside has no content that can be read, such as a handle of a
    library in another language: nothing can be said of such an object.

    Parameters
    ----------
    value
        A reconstructor, a forward map, settings.

    Examples
    --------
    >>> content_sha256(lambda x: x + 1) == content_sha256(lambda x: x + 1)
    True
    >>> content_sha256(lambda x: x + 1) == content_sha256(lambda x: x + 2)
    False
    """
    digest = hashlib.sha256()
    try:
        for part in _parts(value, (), 0):
            digest.update(len(part).to_bytes(8, "little"))
            digest.update(part)
    except Unknown:
        return None
    return digest.hexdigest()


def _parts(value: object, above: tuple[int, ...], depth: int) -> Iterator[bytes]:
    """The content of a value, piece by piece; ``above`` are the objects that it lies in."""
    if id(value) in above:
        yield b"above"  # a recursive function, a module that knows its parent
        return
    if depth > _DEEPEST:
        raise Unknown
    if value is None or isinstance(value, bool | int | float | complex | str | bytes):
        yield f"{type(value).__name__}:{value!r}".encode()
    elif isinstance(value, torch.Tensor):
        yield from _tensor(value)
    elif isinstance(value, np.ndarray | np.generic):
        array = np.ascontiguousarray(value)
        if array.dtype.hasobject:
            raise Unknown
        yield f"array:{array.dtype.str}{array.shape}".encode()
        yield array.tobytes()
    else:
        yield from _compound(value, (*above, id(value)), depth + 1)


def _tensor(value: torch.Tensor) -> Iterator[bytes]:
    dense = value.detach().to_dense() if value.layout != torch.strided else value.detach()
    flat = dense.resolve_conj().resolve_neg().cpu().contiguous().reshape(-1)
    yield f"tensor:{value.dtype}{tuple(value.shape)}".encode()
    yield flat.view(torch.uint8).numpy().tobytes() if flat.numel() else b""


def _compound(value: Any, above: tuple[int, ...], depth: int) -> Iterator[bytes]:
    if isinstance(value, Mapping):
        yield f"mapping:{len(value)}".encode()
        for key in sorted(value, key=repr):
            yield from _parts(key, above, depth)
            yield from _parts(value[key], above, depth)
    elif isinstance(value, tuple | list):
        yield f"sequence:{len(value)}".encode()
        for one in value:
            yield from _parts(one, above, depth)
    elif isinstance(value, functools.partial):
        yield b"partial"
        yield from _parts((value.func, value.args, value.keywords), above, depth)
    elif isinstance(value, types.MethodType):
        yield b"method"
        yield from _parts((value.__func__, value.__self__), above, depth)
    elif isinstance(value, types.FunctionType):
        yield from _function(value, above, depth)
    elif isinstance(value, types.ModuleType):
        yield f"module:{value.__name__}:{_package_version(value.__name__)}".encode()
    elif isinstance(value, type):
        yield from _class(value, above, depth)
    elif isinstance(value, types.BuiltinFunctionType | torch.dtype | torch.device):
        yield repr(getattr(value, "__qualname__", value)).encode()
    elif isinstance(value, torch.nn.Module):
        yield from _module(value, above, depth)
    else:
        yield from _instance(value, above, depth)


def _function(function: types.FunctionType, above: tuple[int, ...], depth: int) -> Iterator[bytes]:
    if is_installed(function.__module__):
        name = f"{function.__module__}.{function.__qualname__}"
        yield f"function:{name}:{_package_version(function.__module__)}".encode()
        yield from _parts(_closed_over(function), above, depth)
        return
    yield b"function"
    yield from _code(function.__code__)
    yield from _parts((function.__defaults__, function.__kwdefaults__), above, depth)
    yield from _parts(_closed_over(function), above, depth)
    for name in function.__code__.co_names:
        if name in function.__globals__:
            yield name.encode()
            yield from _parts(function.__globals__[name], above, depth)


def _closed_over(function: types.FunctionType) -> tuple[object, ...]:
    found = []
    for cell in function.__closure__ or ():
        try:
            found.append(cell.cell_contents)
        except ValueError:  # a cell that was never filled
            found.append(None)
    return tuple(found)


def _code(code: types.CodeType) -> Iterator[bytes]:
    yield code.co_code
    yield repr((code.co_names, code.co_varnames)).encode()
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _code(constant)
        else:
            yield repr(constant).encode()


def _class(kind: type, above: tuple[int, ...], depth: int) -> Iterator[bytes]:
    yield f"class:{kind.__module__}.{kind.__qualname__}".encode()
    if is_installed(kind.__module__):
        yield _package_version(kind.__module__).encode()
        return
    for base in kind.__bases__:
        if base is not object:
            yield from _parts(base, above, depth)
    for name, value in sorted(vars(kind).items()):
        inner = inspect.unwrap(getattr(value, "__func__", getattr(value, "fget", None) or value))
        if isinstance(inner, types.FunctionType) or not name.startswith("__"):
            yield name.encode()
            yield from _parts(inner, above, depth)


def _module(module: torch.nn.Module, above: tuple[int, ...], depth: int) -> Iterator[bytes]:
    """A network: its class, plain attributes, parameters, buffers and parts."""
    yield from _parts(type(module), above, depth)
    hidden = {
        name
        for name in vars(torch.nn.Module())
        if name not in ("_parameters", "_buffers", "_modules")
    }
    own = {name: value for name, value in vars(module).items() if name not in hidden}
    yield from _parts(own, above, depth)
    for name in ("_forward_hooks", "_forward_pre_hooks"):
        yield from _parts(list(getattr(module, name).values()), above, depth)
    yield f"training:{module.training}".encode()


def _instance(value: Any, above: tuple[int, ...], depth: int) -> Iterator[bytes]:
    """An object: its class, and what it would keep of itself when it is sent elsewhere."""
    yield from _parts(type(value), above, depth)
    if is_dataclass(value):
        own: object = {field.name: getattr(value, field.name) for field in fields(value)}
    else:
        try:
            own = value.__getstate__()
        except Exception as error:  # handles of other languages refuse in many ways
            raise Unknown from error
    if own is None and is_installed(type(value).__module__):
        raise Unknown  # nothing to see: its content may lie outside Python
    yield from _parts(own, above, depth)


@functools.cache
def is_installed(module: str | None) -> bool:
    """Whether a module is part of Python or of an installed package, so that a version names it.

    A package that is installed for editing may change without its version.
    """
    top = (module or "").partition(".")[0]
    if top in ("shaketable", "builtins") or top in sys.stdlib_module_names:
        return True
    file = getattr(sys.modules.get(top), "__file__", None)
    places = [sysconfig.get_path(name) for name in ("purelib", "platlib")]
    return file is not None and any(file.startswith(f"{place}/") for place in places)


@functools.cache
def _distributions() -> Mapping[str, list[str]]:
    return packages_distributions()


@functools.cache
def _package_version(module: str) -> str:
    top = module.partition(".")[0]
    names = _distributions().get(top)
    if top == "shaketable" or not names:
        return __version__ if top == "shaketable" else "python"
    return version(names[0])
