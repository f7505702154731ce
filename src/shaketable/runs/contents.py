"""What an object is, by content: a hash that changes with everything that its answers depend on."""

from __future__ import annotations

import copyreg
import functools
import hashlib
import inspect
import sys
import sysconfig
import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from importlib.metadata import packages_distributions, version
from typing import Any

import numpy as np
import torch

from shaketable.version import __version__

_DEEPEST = 100
_PLAIN = (bool, int, float, complex, str, bytes, range, types.EllipsisType)
_BESIDE = ("_abc_impl",)  # what Python keeps with a class, and no answer depends on
_CONTAINERS = (tuple, list, set, frozenset, slice, Mapping)


class _Seen:
    """Objects that were met, each with a number: one that is met again is named by it.

    A function may call itself, a module may know its parent, and helpers call helpers that call
    others: everything is looked at once.
    """

    def __init__(self) -> None:
        self._numbers: dict[int, int] = {}
        self._kept: list[object] = []  # no other object gets the address of one that is gone

    def number(self, value: object) -> int | None:
        """Of an object that was met before; None for a new one, which has been met now."""
        if id(value) in self._numbers:
            return self._numbers[id(value)]
        self._numbers[id(value)] = len(self._kept)
        self._kept.append(value)
        return None

    def forget(self, value: object) -> None:
        """Equal lists are the same whether they are one list or two."""
        del self._numbers[id(value)]


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
        for part in _parts(value, _Seen(), 0):
            digest.update(len(part).to_bytes(8, "little"))
            digest.update(part)
    except Unknown:
        return None
    return digest.hexdigest()


def _parts(value: object, seen: _Seen, depth: int) -> Iterator[bytes]:
    """The content of a value, piece by piece."""
    if depth > _DEEPEST:
        raise Unknown
    if value is None or isinstance(value, _PLAIN):
        yield f"{type(value).__name__}:{value!r}".encode()
    elif isinstance(value, torch.Tensor):
        yield from _tensor(value)
    elif isinstance(value, np.ndarray | np.generic):
        array = np.ascontiguousarray(value)
        if array.dtype.hasobject:
            raise Unknown
        yield f"array:{array.dtype.str}{array.shape}".encode()
        yield array.tobytes()
    elif (number := seen.number(value)) is not None:
        yield f"seen:{number}".encode()
    else:
        yield from _compound(value, seen, depth + 1)
        if isinstance(value, _CONTAINERS):
            seen.forget(value)


def _tensor(value: torch.Tensor) -> Iterator[bytes]:
    dense = value.detach().to_dense() if value.layout != torch.strided else value.detach()
    flat = dense.resolve_conj().resolve_neg().cpu().contiguous().reshape(-1)
    yield f"tensor:{value.dtype}{tuple(value.shape)}".encode()
    yield flat.view(torch.uint8).numpy().tobytes() if flat.numel() else b""


def _compound(value: Any, seen: _Seen, depth: int) -> Iterator[bytes]:
    if isinstance(value, Mapping):
        yield f"mapping:{len(value)}".encode()
        for key in sorted(value, key=repr):
            yield from _parts(key, seen, depth)
            yield from _parts(value[key], seen, depth)
    elif isinstance(value, tuple | list):
        yield f"sequence:{len(value)}".encode()
        for one in value:
            yield from _parts(one, seen, depth)
    elif isinstance(value, set | frozenset):
        yield f"set:{len(value)}".encode()
        yield from sorted(_alone(one) for one in value)  # their order differs between processes
    elif isinstance(value, slice):
        yield b"slice"
        yield from _parts((value.start, value.stop, value.step), seen, depth)
    elif isinstance(value, functools.partial):
        yield b"partial"
        yield from _parts((value.func, value.args, value.keywords), seen, depth)
    elif isinstance(value, types.MethodType):
        yield b"method"
        yield from _parts((value.__func__, value.__self__), seen, depth)
    elif isinstance(value, types.FunctionType):
        yield from _function(value, seen, depth)
    elif isinstance(value, functools._lru_cache_wrapper):
        yield b"remembering"
        yield from _parts(value.__wrapped__, seen, depth)
    elif isinstance(value, types.ModuleType):
        yield f"module:{value.__name__}:{_package_version(value.__name__)}".encode()
    elif isinstance(value, type):
        yield from _class(value, seen, depth)
    elif isinstance(value, torch.dtype | torch.device):
        yield repr(value).encode()
    elif isinstance(value, types.BuiltinFunctionType):
        yield f"builtin:{value.__qualname__}".encode()
        yield from _parts(value.__self__, seen, depth)  # a module, a class, or what it is bound to
    elif isinstance(value, torch.nn.Module):
        yield from _module(value, seen, depth)
    else:
        yield from _instance(value, seen, depth)


def _alone(value: object) -> bytes:
    digest = content_sha256(value)
    if digest is None:
        raise Unknown
    return digest.encode()


def _function(function: types.FunctionType, seen: _Seen, depth: int) -> Iterator[bytes]:
    installed, name = is_installed(function.__module__), function.__qualname__
    yield b"function"
    yield from _code(function.__code__, seen, depth)
    yield from _parts(_closed_over(function), seen, depth)
    if not installed or "<" in name:  # made when something ran, so no version names its defaults
        yield from _parts((function.__defaults__, function.__kwdefaults__), seen, depth)
    if installed:
        version = _package_version(function.__module__)
        yield f"{function.__module__}.{name}:{version}".encode()
        return
    names = sorted(_names(function.__code__))
    for name in names:
        if name in function.__globals__:
            value = function.__globals__[name]
            yield name.encode()
            yield from _parts(value, seen, depth)
            yield from _from_module(value, names, seen, depth)


def _names(code: types.CodeType) -> set[str]:
    """Globals and attributes that a function names, and functions within it."""
    inner = (
        _names(constant) for constant in code.co_consts if isinstance(constant, types.CodeType)
    )
    return {*code.co_names}.union(*inner)


def _from_module(module: object, names: Sequence[str], seen: _Seen, depth: int) -> Iterator[bytes]:
    """What a function may take from a module that no version names: ``models.net``."""
    if not isinstance(module, types.ModuleType) or is_installed(module.__name__):
        return
    for name in names:
        if name in vars(module):
            value = vars(module)[name]
            yield name.encode()
            yield from _parts(value, seen, depth)
            yield from _from_module(value, names, seen, depth + 1)


def _closed_over(function: types.FunctionType) -> tuple[object, ...]:
    found = []
    for cell in function.__closure__ or ():
        try:
            found.append(cell.cell_contents)
        except ValueError:  # a cell that was never filled
            found.append(None)
    return tuple(found)


def _code(code: types.CodeType, seen: _Seen, depth: int) -> Iterator[bytes]:
    yield code.co_code
    yield repr((code.co_names, code.co_varnames)).encode()
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _code(constant, seen, depth)
        else:
            yield from _parts(constant, seen, depth)


def _class(kind: type, seen: _Seen, depth: int) -> Iterator[bytes]:
    yield f"class:{kind.__module__}.{kind.__qualname__}".encode()
    if is_installed(kind.__module__):
        yield _package_version(kind.__module__).encode()
        return
    for base in kind.__bases__:
        if base is not object:
            yield from _parts(base, seen, depth)
    for name, value in sorted(vars(kind).items()):
        inner = _behind(value)
        if isinstance(inner, types.FunctionType) or not (name.startswith("__") or name in _BESIDE):
            yield name.encode()
            yield from _parts(inner, seen, depth)


def _behind(value: object) -> object:
    """The function behind a static method, a property or a decorator; names of slots."""
    if isinstance(value, types.MemberDescriptorType):
        return value.__name__
    for name in ("__func__", "fget", "func"):
        value = getattr(value, name, None) or value
    return inspect.unwrap(value) if callable(value) else value


def _module(module: torch.nn.Module, seen: _Seen, depth: int) -> Iterator[bytes]:
    """A network: its class, plain attributes, parameters, buffers and parts."""
    yield from _parts(type(module), seen, depth)
    hidden = {
        name
        for name in vars(torch.nn.Module())
        if name not in ("_parameters", "_buffers", "_modules")
    }
    own = {name: value for name, value in vars(module).items() if name not in hidden}
    yield from _parts(own, seen, depth)
    for name in ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks"):
        yield from _parts(list(getattr(module, name).values()), seen, depth)
    yield f"training:{module.training}".encode()


def _instance(value: Any, seen: _Seen, depth: int) -> Iterator[bytes]:
    """An object: its class, and what it would send of itself to another process."""
    yield from _parts(type(value), seen, depth)
    if is_dataclass(value):
        own = {field.name: getattr(value, field.name) for field in fields(value)}
        yield from _parts(own, seen, depth)
        return
    try:
        reduce = copyreg.dispatch_table.get(type(value))
        sent = value.__reduce_ex__(4) if reduce is None else reduce(value)
    except Exception as error:  # handles of other languages refuse in many ways
        raise Unknown from error
    if isinstance(sent, str):  # the name of what cannot be told from its content
        if not is_installed(type(value).__module__):
            raise Unknown
        yield f"named:{sent}".encode()
        return
    for part in sent:
        yield from _parts(list(part) if isinstance(part, Iterator) else part, seen, depth)


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
