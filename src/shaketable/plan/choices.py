"""Settings of which a plan chooses one by name: ``{type: fourier, ...}``, ``{method: wavelet-l1}``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from functools import partial
from typing import Any

from pydantic import ValidationInfo
from pydantic_core import PydanticCustomError

from shaketable.errors import InputError
from shaketable.plan.derive import Around, Written, read_settings
from shaketable.plan.schema_base import absent, said, unknown_name
from shaketable.registry import Group, find, registered


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One of several settings classes.

    Parameters
    ----------
    key
        The field that holds the name.
    names
        The names there are, in the order in which messages list them.
    find
        Name -> settings class; it is imported when it is chosen.
    """

    key: str
    names: Callable[[], Iterable[str]]
    find: Callable[[str], type]

    @classmethod
    def of(cls, key: str, kinds: Mapping[str, type]) -> Choice:
        """A choice between known classes."""
        return cls(key=key, names=lambda: kinds, find=kinds.__getitem__)

    @classmethod
    def registered(cls, key: str, group: Group) -> Choice:
        """A choice between ours and what installed packages bring."""
        return cls(key=key, names=lambda: registered(group), find=partial(find, group))

    def read(self, data: Any, info: ValidationInfo) -> Written:
        """The settings of the class that is named; a name alone means its defaults."""
        if isinstance(data, str):
            data = {self.key: data}
        if not isinstance(data, Mapping):
            raise PydanticCustomError("dict_type", "a mapping of fields")
        if self.key not in data:
            raise absent(self.key)
        kind = self.kind(data[self.key])
        settings = {key: value for key, value in data.items() if key != self.key}
        written = read_settings(kind, self.completed(kind, settings, info), info)
        return Written(value=written.value, data={self.key: data[self.key], **written.data})

    def completed(
        self, kind: type, settings: dict[str, Any], info: ValidationInfo
    ) -> dict[str, Any]:
        """The settings with those that follow from the rest of the plan."""
        names = {field.name for field in fields(kind)}
        if "folder" in names and settings.get("folder") is None:
            settings = {**settings, "folder": "."}
        if "values" in names and settings.get("values") is None:
            settings = {**settings, "values": "real" if Around.of(info).real else "complex"}
        return settings

    def kind(self, name: object) -> type:
        """The class of a name."""
        allowed = list(self.names())
        if name not in allowed:
            raise unknown_name(self.key, name, allowed)
        try:
            return self.find(str(name))
        except InputError as error:
            raise said(str(error), field=self.key) from error

    def tag(self, value: object) -> Mapping[str, str]:
        """The name of a value's class, as the field that holds it."""
        for name in self.names():
            if self.find(name) is type(value):
                return {self.key: name}
        return {}
