"""Sphinx settings. scripts/docs builds the site from these pages, into .venv/html."""

import inspect
import os
import re
import sys
from collections.abc import Iterator
from html import escape
from pathlib import Path
from textwrap import shorten
from typing import Any, cast

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.search import SearchEnglish, languages

sys.path.insert(0, str(Path(__file__).parent.parent))

from conversations_client import __version__
from conversations_client._base.cached_attribute import cached_attribute

project = "conversations-client"
project_copyright = "2026 the conversations-client authors, MIT license"
release = version = __version__
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "sphinx_design",
]

html_theme = "furo"
html_title = f"conversations-client {version}"
html_short_title = "conversations-client"
html_favicon = "_static/favicon.svg"
html_static_path = ["_static"]
html_css_files = ["pages.css"]
html_js_files = [("pages.js", {"defer": "defer"})]
html_baseurl = os.environ.get("DOCS_URL", "")
html_copy_source = False
html_show_sphinx = False

myst_enable_extensions = ["alert", "colon_fence"]
myst_heading_anchors = 4
copybutton_prompt_text = "$ "  # only the commands are copied, without the prompt
copybutton_line_continuation_character = "\\"

default_role = "py:obj"  # docstrings mark code with single backticks
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
autodoc_inherit_docstrings = False
napoleon_numpy_docstring = False
napoleon_attr_annotations = True
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 72
add_module_names = False
toc_object_entries_show_parents = "hide"

nitpicky = True
suppress_warnings = ["ref.python"]  # `type` is a builtin, and an attribute of several classes
nitpick_ignore_regex = [
    # Names of other projects, whose pages would have to be downloaded.
    (r"py:.*", r"(attrs|cattrs|collections|datetime|enum|httpx|os|ssl|types|typing)\..*"),
    # Code in docstrings that is not a name.
    (r"py:obj", r"(?s).*"),
    (r"py:class", r".*\| ~collections\.abc\.Callable\[.*"),
    (
        r"py:class",
        r"(.*\.)?[A-Z]$|Callable|Mapping|Sequence|(.*\.)?(Async)?(HTTPClient|CreateRequests|ConversationIds|Outcomes)",
    ),
    (r"py:class", r"conversations_client\._client\.\w+\.(Async)?Raw(Conversations|Responses)"),
    (r"py:class", r"conversations_client\.events\._Event"),
    (r"py:class", r"conversations_client\.sandbox\._fault_injection\..*"),
]

TABS = re.compile(r"<!-- tabs: begin -->\n(.*?)<!-- tabs: end -->\n", re.DOTALL)
TAB = re.compile(r"^\*\*(.+)\*\*$", re.MULTILINE)
CARDS = re.compile(r"<!-- cards: begin -->\n(.*?)<!-- cards: end -->\n", re.DOTALL)
CARD = re.compile(r"^- \[(.+?)\]\((.+?)\.md\): (.+\n(?:  .+\n)*)", re.MULTILINE)
LONGEST_DESCRIPTION = 200  # characters
FOR_THE_SOURCE = re.compile(
    r"<!-- where the source is read: begin -->.*?<!-- where the source is read: end -->\n",
    re.DOTALL,
)
FOR_THE_SITE = re.compile(r"<!-- for the site:\n(.*?)-->\n", re.DOTALL)
# Other comments are for the tests, and would appear in search results.
COMMENT = re.compile(r"^<!--.*?-->\n", re.MULTILINE | re.DOTALL)
# Classes that only the client creates.
GIVEN = {"Conversations", "Outcomes", "Pages", "Responses", "Stream"}
COLON = "\N{MODIFIER LETTER COLON}"  # stands for ":" while napoleon reads a docstring
RETURNS = {"Returns:", "Yields:"}
EXAMPLE = re.compile(r"Examples?:")
ATTRIBUTE = re.compile(r"^(\.\. attribute:: .+)\n((?:(?!\.\. ).*\n)*?) +:type: (.+)$", re.MULTILINE)
# A class, a function or a member of a class, as code in the text: `Retry(attempts=1)`,
# `create_many`, `Timeout.total`, `client.conversations.list()`.
PARENTS = r"(?:client\.(?=conversations\.))?(?:conversations\.(?=responses\.))?"
NAME = re.compile(PARENTS + r"(?:(\w+\.\w+|[A-Z]\w*)(?:\(.*\))?|(\w+)(?:\(\))?)")
PYTHON = ("collections.abc", "datetime", "enum", "os", "ssl", "types", "typing")
BREAK = re.compile(r"(?<=[_/:.])(?=[^_/:.])(?!py\b)")
LONGEST_WHOLE_NAME = 24  # characters
NOT_FOUND = """<section id="page-not-found"><h1>Page not found</h1>
<p>There is no page at this address. Use the search, or go to the
<a href="index.html">start page</a>.</p>
</section>"""


class SearchWithNumbers(SearchEnglish):
    """Keeps numbers in the search index, for HTTP statuses. pages.js searches for them."""

    def word_filter(self, word: str) -> bool:
        """Whether a word is in the index."""
        return word.isdigit() or super().word_filter(word)


def shown_signature(*arguments: object) -> tuple[str | None, str | None]:
    """The signature as people would write it. Every attrs factory in the package makes a {}."""
    what, name, *_, signature, returns = arguments[1:]
    if not isinstance(signature, str):
        return None, None
    if what == "class" and str(name).rpartition(".")[2].removeprefix("Async") in GIVEN:
        return "", None
    return signature.replace("=NOTHING", "={}"), returns if isinstance(returns, str) else None


def put_types_beside_names(*arguments: object) -> None:
    """Move an attribute's type into its heading; napoleon puts it below the description."""
    lines = cast("list[str]", arguments[-1])
    text = "\n".join(lines).replace(":type: collections.abc.", ":type: ")
    lines[:] = ATTRIBUTE.sub(r"\1\n   :type: \3\n\2", text).split("\n")


def hide_colons(*arguments: object) -> None:
    """Hide colons where napoleon treats the words before them as a type, as in "The result: …".

    This affects the first line of an attribute and of the `Returns:` section.
    """
    what, lines = arguments[1], cast("list[str]", arguments[-1])
    is_attribute = what in {"attribute", "data", "property"}
    lines[:] = [
        line.replace(":", COLON) if (is_attribute and above is None) or above in RETURNS else line
        for above, line in zip([None, *map(str.strip, lines)], lines, strict=False)
    ]


def attribute(owner: type, name: str, *default: object) -> object:
    """An attribute of a class, with a `cached_attribute` as a property."""
    found = inspect.getattr_static(owner, name, None)
    is_cached = isinstance(found, cached_attribute)
    return property(found.make) if is_cached else getattr(owner, name, *default)


def show_colons(*arguments: object) -> None:
    """Restore the colons that `hide_colons` hid."""
    lines = cast("list[str]", arguments[-1])
    lines[:] = [line.replace(COLON, ":") for line in lines]


def show_examples_as_code(*arguments: object) -> None:
    """Make the code below `Example:` a literal block; napoleon treats it as prose."""
    lines = cast("list[str]", arguments[-1])
    shown = [[f"{line}:", ""] if EXAMPLE.fullmatch(line) else [line] for line in lines]
    lines[:] = [line for each in shown for line in each]


def format_for_the_site(*arguments: object) -> None:
    """Remove the parts of a page that are for the repository; show those that are for the site."""
    source = cast("list[str]", arguments[-1])
    text = FOR_THE_SITE.sub(r"\1", FOR_THE_SOURCE.sub("", source[0]))
    text = TABS.sub(lambda found: tab_set(found[1]), text)
    source[0] = COMMENT.sub("", CARDS.sub(lambda found: grid(found[1]), text))


def tab_set(text: str) -> str:
    """Tabs for sections that begin with a label in bold. The site remembers the chosen label."""
    _, *parts = TAB.split(text)
    items = [
        f":::{{tab-item}} {label}\n:sync: {label.lower()}\n{body}:::\n"
        for label, body in zip(parts[::2], parts[1::2], strict=True)
    ]
    return f"::::{{tab-set}}\n:sync-group: variant\n{''.join(items)}::::\n"


def grid(text: str) -> str:
    """Cards for a list of links, each with a description."""
    items = [
        f":::{{grid-item-card}} {title}\n:link: {page}\n:link-type: doc\n\n{words}:::\n"
        for title, page, words in CARD.findall(text)
    ]
    return f"::::{{grid}} 1 2 2 2\n:gutter: 3\n{''.join(items)}::::\n"


def public_names(app: Sphinx) -> dict[str, tuple[str, str]]:
    """The page and the anchor of each class, function and class member.

    Functions whose names are ordinary words, such as `total`, are not included.
    """
    names: dict[str, tuple[str, str]] = {}
    for path, entry in app.env.domains.python_domain.objects.items():
        if "._" in path:
            continue
        *_, owner, name = path.split(".")
        is_member = owner[0].isupper() or owner == "factories"
        if is_member or not name.islower() or "_" in name:
            place = (entry.docname, entry.node_id)
            names.setdefault(f"{owner}.{name}" if is_member else name, place)
            if owner in {"Client", *GIVEN}:
                names[f"{owner.lower()}.{name}"] = place
                if entry.objtype == "method" and "_" in name:
                    names[name] = place
    return names


def link_names(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Link the first mention of a name in each section to the reference."""
    names, seen = public_names(app), set[tuple[nodes.Node | None, str]]()
    for code in list(doctree.findall(nodes.literal)):
        match = NAME.fullmatch(code.astext())
        target, anchor = names.get((match[1] or match[2]) if match else "", ("", ""))
        mention = (above(code, nodes.section), anchor)
        is_linked = above(code, nodes.reference, nodes.title, nodes.term)
        if target in {"", page} or is_linked or mention in seen:
            continue
        seen.add(mention)
        uri = f"{app.builder.get_relative_uri(page, target)}#{anchor}"
        link = nodes.reference("", "", internal=True, refuri=uri)
        code.replace_self(link)
        link += code


def above(node: nodes.Node, *kinds: type[nodes.Node]) -> nodes.Node | None:
    """The closest ancestor of a node that is of one of the kinds."""
    outer = node.parent
    while outer is not None and not isinstance(outer, kinds):
        outer = outer.parent
    return outer


def break_long_names(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Let long names in tables break only between their parts."""
    del app, page
    for entry in doctree.findall(nodes.entry):
        for code in entry.findall(nodes.literal):
            text = code.astext()
            if max(map(len, text.split()), default=0) > LONGEST_WHOLE_NAME:
                first, *parts = BREAK.split(text)
                code.clear()
                code.append(nodes.Text(first))
                for part in parts:
                    code.extend([nodes.raw("", "<wbr>", format="html"), nodes.Text(part)])


def link_to_python(*arguments: object) -> nodes.reference | None:
    """Link a type of the standard library to Python's documentation."""
    node, content = cast("tuple[nodes.Element, nodes.TextElement]", arguments[2:])
    module = node["reftarget"].rpartition(".")[0]
    if module not in PYTHON:
        return None
    uri = f"https://docs.python.org/3/library/{module}.html#{node['reftarget']}"
    return nodes.reference("", "", content, internal=False, refuri=uri)


def page_not_found(*arguments: object) -> Iterator[tuple[str, dict[str, Any], str]]:
    """The page that a server returns for an unknown address."""
    del arguments
    # The address may be in any folder, so links are relative to the start page.
    base = f'<base href="{escape(html_baseurl or "/")}">\n'
    yield "404", {"title": "Page not found", "body": NOT_FOUND, "metatags": base}, "page.html"


def describe_page(*arguments: object) -> None:
    """Add a page's description, and the tags that link previews show."""
    context, doctree = cast("dict[str, Any]", arguments[3]), arguments[4]
    if not isinstance(doctree, nodes.document):
        return
    paragraphs = doctree.findall(nodes.paragraph)
    words = " ".join(next((each.astext() for each in paragraphs), project).split())
    tags = {
        "name": {"description": shorten(words, LONGEST_DESCRIPTION, placeholder="…")},
        "property": {
            "og:title": context["title"],
            "og:description": shorten(words, LONGEST_DESCRIPTION, placeholder="…"),
            "og:site_name": project,
            "og:type": "website",
        },
    }
    if context["pageurl"]:
        tags["property"]["og:url"] = context["pageurl"]
    context["metatags"] += "".join(
        f'<meta {kind}="{name}" content="{escape(str(content))}">\n'
        for kind, named in tags.items()
        for name, content in named.items()
    )


def setup(app: Sphinx) -> None:
    """Connect the functions above."""
    languages["en"] = SearchWithNumbers
    app.add_autodoc_attrgetter(type, attribute)
    app.connect("source-read", format_for_the_site)
    app.connect("missing-reference", link_to_python)
    app.connect("doctree-resolved", link_names)
    app.connect("doctree-resolved", break_long_names)
    app.connect("html-collect-pages", page_not_found)
    app.connect("html-page-context", describe_page)
    app.connect("autodoc-process-signature", shown_signature)
    app.connect("autodoc-process-docstring", hide_colons, priority=100)
    app.connect("autodoc-process-docstring", show_examples_as_code, priority=100)
    app.connect("autodoc-process-docstring", show_colons, priority=800)
    app.connect("autodoc-process-docstring", put_types_beside_names, priority=900)
