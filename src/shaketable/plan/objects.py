"""Objects that plans name as ``package.module:name``, from the plan's own folder or installed."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from shaketable.errors import InputError
from shaketable.plan.suggestion import suggestion

# Folders that plans have put on the import path, so that a later plan does not get their modules.
_FOLDERS: list[Path] = []


def require_object_name(name: str) -> None:
    """Raise an `InputError` for what is no ``package.module:name``."""
    module, colon, attribute = name.partition(":")
    if not colon or not all(
        part.isidentifier() for part in [*module.split("."), *attribute.split(".")]
    ):
        raise InputError(
            f"Expected 'package.module:name', got {name!r}; a colon stands between the module and "
            "the name in it.",
            field="object",
        )


def find_object(name: str, folder: Path) -> Any:
    """Import ``package.module:name``, looking into ``folder`` first.

    The folder stays at the front of the import path, as it does for ``python script.py``, so that
    the object may import its neighbours later.

    Raises
    ------
    InputError
        If there is no such module or name, or importing it fails.
    """
    if not folder.is_dir():
        raise InputError(
            f"Expected a folder '{folder}' with Python files, got nothing there; correct folder."
        )
    module_name, _, attribute = name.partition(":")
    _enter(folder, module_name.partition(".")[0])
    found: Any = _module(module_name, folder)
    for part in attribute.split("."):
        if not hasattr(found, part):
            public = [entry for entry in dir(found) if not entry.startswith("_")]
            advice = suggestion(part, public, "name something that is defined there.")
            raise InputError(
                f"Expected '{part}' in the module '{module_name}', got no such name; {advice}"
            )
        found = getattr(found, part)
    return found


def call_with(function: Any, name: str, arguments: Mapping[str, Any]) -> Any:
    """Call a class or function of the user's with the arguments of the plan.

    Raises
    ------
    InputError
        If the arguments do not fit, or the call raises.
    """
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        signature = None
    if signature is not None:
        try:
            signature.bind(**arguments)
        except TypeError as error:
            raise InputError(
                f"Expected arguments that fit {name}{signature}, got "
                f"{', '.join(arguments) or 'none'} ({error}); correct the field arguments."
            ) from error
    try:
        return function(**arguments)
    except (Exception, SystemExit) as error:
        raise InputError(
            f"Expected {name} to be made from its arguments, got {described(error)}; "
            "call it yourself to see why."
        ) from error


def takes_two(function: Any) -> bool:
    """Whether a callable can be called as ``f(y, A)``."""
    try:
        inspect.signature(function).bind(None, None)
    except TypeError:
        return False
    except ValueError:  # built in without a signature: calling it will tell
        return True
    return True


def described(error: BaseException) -> str:
    """An exception in one line."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__} ({lines[0]})" if lines else type(error).__name__


def _enter(folder: Path, top: str) -> None:
    loaded = sys.modules.get(top)
    if loaded is not None and any(
        other != folder and _lies_in(loaded, other) for other in _FOLDERS
    ):
        for name in [n for n in sys.modules if n == top or n.startswith(f"{top}.")]:
            del sys.modules[name]
    if folder not in _FOLDERS:
        _FOLDERS.append(folder)
    if sys.path[:1] != [str(folder)]:
        sys.path[:] = [str(folder), *(entry for entry in sys.path if entry != str(folder))]
    importlib.invalidate_caches()


def _lies_in(module: ModuleType, folder: Path) -> bool:
    file = getattr(module, "__file__", None)
    return file is not None and Path(file).resolve().is_relative_to(folder)


def _module(name: str, folder: Path) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not (name == error.name or name.startswith(f"{error.name}.")):
            raise InputError(
                f"Expected the module '{name}' to be importable, got {described(error)}; "
                "install what it needs."
            ) from error
        files = [path.stem for path in sorted(folder.glob("*.py"))]
        advice = suggestion(name, files, "correct the name, or give the field folder.")
        raise InputError(
            f"Expected a module '{name}' in '{folder}' or installed, got none; {advice}"
        ) from error
    except (Exception, SystemExit) as error:
        raise InputError(
            f"Expected the module '{name}' to be importable, got {described(error)}; "
            f"run: python -c 'import {name}' in '{folder}' to see why."
        ) from error
