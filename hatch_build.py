"""Writes the description of the package: README.md without its links to files of the repository."""

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

# A link to a file. Links to a URL or to a heading work everywhere.
FILE_LINK = re.compile(r"\[([^\]]+)\]\((?![a-z]+:|#)([^)#]+)(?:#[^)]*)?\)")


def without_file_links(readme: str) -> str:
    """Replace each link to a file by its text and the name of the file."""
    return FILE_LINK.sub(_text_and_name, readme)


def _text_and_name(link: re.Match[str]) -> str:
    text, name = link.groups()
    return f"`{name}`" if text == name else f"{text} (`{name}`)"


class CustomMetadataHook(MetadataHookInterface):
    """Sets the description, which an index shows where no file of the repository can be reached."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Add `readme` to the metadata."""
        readme = Path(self.root, "README.md").read_text(encoding="utf-8")
        metadata["readme"] = {
            "content-type": "text/markdown",
            "text": without_file_links(readme),
        }
