"""Where values come from: the file, secret files, the environment, flags; each becomes a `Layer`.

A layer holds its values as a nested table under the names of the keys and knows where each was
written. Nothing is validated here but names: what a value may be is in `schema`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from .lines import Path


@dataclass(frozen=True, slots=True)
class Layer:
    """Values of one origin; `places` says where each path of keys was written."""

    values: Mapping[str, Any]
    places: Mapping[Path, str] = field(default_factory=dict)

    def holds(self, path: Path) -> bool:
        """Whether this layer, rather than a lower one, decides the value at `path`.

        Lists are replaced as a whole, so that everything below one belongs to who wrote it.
        """
        table: Any = self.values
        for part in path:
            if not isinstance(table, Mapping):
                return True
            if part not in table:
                return False
            table = table[part]
        return True

    def place(self, path: Path) -> str:
        """Where the value at `path`, or the nearest thing around it, was written."""
        for end in range(len(path), -1, -1):
            if path[:end] in self.places:
                return self.places[path[:end]]
        return ""


class LayerSource(PydanticBaseSettingsSource):
    """Hands a layer to pydantic-settings, which merges and validates."""

    def __init__(self, settings_cls: type[BaseSettings], layer: Layer) -> None:
        super().__init__(settings_cls)
        self.layer = layer

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """The value of one section."""
        return self.layer.values.get(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        """All sections."""
        return dict(self.layer.values)
