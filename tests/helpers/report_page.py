"""Reads a written report back: its text, links, pictures, headings and exact numbers."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
from PIL import Image

VOID = {"meta", "link", "img", "input", "br"}
# SVG shapes that are written as one tag close themselves and reach the parser as such.


@dataclass
class Page(HTMLParser):
    """What a reader and a browser find in a page."""

    texts: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)
    pictures: list[tuple[str, str]] = field(default_factory=list)
    headings: list[str] = field(default_factory=list)
    values: list[str] = field(default_factory=list)
    identifiers: list[str] = field(default_factory=list)
    targets: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    unbalanced: list[str] = field(default_factory=list)
    _open: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_startendtag(self, tag: str, _: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.tags.append(tag)
        if tag not in VOID:
            self._open.append(tag)
        if tag == "img":
            self.pictures.append((found["src"], found.get("alt", "")))
        if tag == "data":
            self.values.append(found["value"])
        if "id" in found:
            self.identifiers.append(found["id"])
        for name in ("src", "href", "action", "srcset", "poster", "xlink:href"):
            if name in found:
                self._follow(found[name])

    def _follow(self, target: str) -> None:
        if target.startswith("#"):
            self.targets.append(target[1:])
        elif not target.startswith("data:"):
            self.outside.append(target)

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.unbalanced.append(tag)

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] in ("h1", "h2"):
            self.headings.append(data.strip())
        if not self._open or self._open[-1] not in ("style", "script"):
            self.texts.append(data)

    @property
    def text(self) -> str:
        """The visible words, white space collapsed."""
        return " ".join(" ".join(self.texts).split())


def read_page(path: Path) -> Page:
    """Parse a report."""
    page = Page()
    page.feed(path.read_text(encoding="utf-8"))
    page.close()
    return page


def decode(uri: str) -> np.ndarray:
    """The grey values of a picture."""
    content = base64.b64decode(uri.removeprefix("data:image/png;base64,"), validate=True)
    return np.asarray(Image.open(io.BytesIO(content)))
