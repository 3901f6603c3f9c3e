"""What turns these pages into HTML: scripts/test does, into .venv/html, without a network."""

import re
import sys
from pathlib import Path
from typing import cast

from sphinx.application import Sphinx

sys.path.insert(0, str(Path(__file__).parent.parent))

from conversations_client import __version__

project = "conversations-client"
release = version = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton"]

html_theme = "furo"
html_title = "conversations-client"
html_static_path = ["_static"]
html_css_files = ["pages.css"]
html_copy_source = False
html_show_copyright = False
html_show_sphinx = False

myst_heading_anchors = 4
copybutton_prompt_text = "$ "  # what is copied from a terminal is the commands alone
copybutton_line_continuation_character = "\\"

default_role = "py:obj"  # docstrings mark code with single backticks
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_member_order = "bysource"
autodoc_inherit_docstrings = False
napoleon_numpy_docstring = False
napoleon_attr_annotations = True
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 72
add_module_names = False

nitpicky = True
suppress_warnings = ["ref.python"]  # `type` is a builtin, and an attribute of several classes
nitpick_ignore_regex = [
    # Other projects' names, whose pages would have to be asked for.
    (r"py:.*", r"(attrs|cattrs|collections|datetime|enum|httpx|os|ssl|types|typing)\..*"),
    # What docstrings show as code and is no name.
    (r"py:obj", r".*"),
    (
        r"py:class",
        r"(.*\.)?[A-Z]$|Callable|Mapping|Sequence|(Async)?(HTTPClient|CreateRequests|ConversationIds|Outcomes)",
    ),
    (r"py:class", r"conversations_client\._client\.\w+\.(Async)?Raw(Conversations|Responses)"),
    (r"py:class", r"conversations_client\.events\._Event"),
    (r"py:class", r"conversations_client\.sandbox\._fault_injection\..*"),
]

FOR_THE_SOURCE = re.compile(r"<!-- where the source is read: begin -->.*?end -->\n", re.DOTALL)
# What the client gives, and nobody makes.
GIVEN = {"Conversations", "Outcomes", "Pages", "Responses", "Stream"}
COLON = "\N{MODIFIER LETTER COLON}"  # stands for ":" while napoleon reads a docstring
EXAMPLE = re.compile(r"Examples?:")
ATTRIBUTE = re.compile(r"^(\.\. attribute:: .+)\n((?:(?!\.\. ).*\n)*?) +:type: (.+)$", re.MULTILINE)


def shown_signature(*arguments: object) -> tuple[str | None, str | None]:
    """A signature as people would write it: what attrs' factories make here is always {}."""
    what, name, *_, signature, returns = arguments[1:]
    if not isinstance(signature, str):
        return None, None
    if what == "class" and str(name).rpartition(".")[2].removeprefix("Async") in GIVEN:
        return "", None
    return signature.replace("=NOTHING", "={}"), returns if isinstance(returns, str) else None


def put_types_beside_names(*arguments: object) -> None:
    """Have `name: type` head an attribute, where napoleon puts the type below what it means."""
    lines = cast("list[str]", arguments[-1])
    text = "\n".join(lines).replace(":type: collections.abc.", ":type: ")
    lines[:] = ATTRIBUTE.sub(r"\1\n   :type: \3\n\2", text).split("\n")


def hide_colons(*arguments: object) -> None:
    """Hide colons in an attribute's first line, where napoleon takes "The result: …" for a type."""
    what, lines = arguments[1], cast("list[str]", arguments[-1])
    if what in {"attribute", "data", "property"}:
        lines[:1] = [line.replace(":", COLON) for line in lines[:1]]


def show_colons(*arguments: object) -> None:
    """Restore the colons that `hide_colons` hid."""
    lines = cast("list[str]", arguments[-1])
    lines[:] = [line.replace(COLON, ":") for line in lines]


def show_examples_as_code(*arguments: object) -> None:
    """Make the code below `Example:` a literal block, which napoleon reads as prose."""
    lines = cast("list[str]", arguments[-1])
    shown = [[f"{line}:", ""] if EXAMPLE.fullmatch(line) else [line] for line in lines]
    lines[:] = [line for each in shown for line in each]


def leave_out_what_is_for_readers_of_the_source(*arguments: object) -> None:
    """Drop what a page says for those who read it where directives are not carried out."""
    source = cast("list[str]", arguments[-1])
    source[0] = FOR_THE_SOURCE.sub("", source[0])


def setup(app: Sphinx) -> None:
    """Connect what settings can't say."""
    app.connect("source-read", leave_out_what_is_for_readers_of_the_source)
    app.connect("autodoc-process-signature", shown_signature)
    app.connect("autodoc-process-docstring", hide_colons, priority=100)
    app.connect("autodoc-process-docstring", show_examples_as_code, priority=100)
    app.connect("autodoc-process-docstring", show_colons, priority=800)
    app.connect("autodoc-process-docstring", put_types_beside_names, priority=900)
