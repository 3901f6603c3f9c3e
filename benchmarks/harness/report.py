"""Formats the rounds of a comparison as Markdown. No I/O."""

from collections.abc import Callable, Sequence

from harness import tables
from harness.columns import Column, Round, bytes_per_item, peak, ratios, wall_per_item
from harness.measuring import Measurement
from harness.ratios import Spread, paired, spread
from harness.roster import AIOHTTP, EVERYONE, SOCKETS, Contender

Results = dict[str, list[Round]]
Format = Callable[[Spread], str]


def folded_ranges(content: Sequence[str]) -> str:
    """The ranges of the tables in a collapsed block."""
    return "\n\n".join(
        ["<details>\n<summary>Range of each ratio (min-max)</summary>", *content, "</details>"]
    )


def cost_table(columns: Sequence[Column], results: Results, show: Format = tables.median) -> str:
    """A table of ratios with a row for each contender."""
    found = [ratios(column, results[column.title]) for column in columns]
    rows = [
        [contender.label, *(_cell(column, contender, results, show) for column in columns)]
        for contender in EVERYONE
        if any(contender.module in column for column in found)
    ]
    return tables.table(["", *(column.title for column in columns)], rows)


def _cell(column: Column, contender: Contender, results: Results, show: Format) -> str:
    rounds = results[column.title]
    found = ratios(column, rounds).get(contender.module)
    if found is None:
        return tables.ABSENT
    if contender is column.baseline:
        return f"1.00 = {_absolute(column, contender, rounds)}"
    return show(found)


def _absolute(column: Column, contender: Contender, rounds: Sequence[Round]) -> str:
    cost = spread([column.cost(done[contender.module]) for done in rounds]).median
    if column.cost is peak:
        return f"{cost / 2**20:.1f} MiB"
    return f"{cost:.0f} bytes" if column.cost is bytes_per_item else tables.seconds(cost)


def rate_table(columns: Sequence[Column], results: Results, show: Format = tables.median) -> str:
    """A table of calls per second with a row for each contender."""
    rows = [
        [contender.label, *(_rate(contender, results[column.title], show) for column in columns)]
        for contender in columns[0].contenders
    ]
    return tables.table(["", *(column.title for column in columns)], rows)


def _rate(contender: Contender, rounds: Sequence[Round], show: Format) -> str:
    rates = [{name: 1 / wall_per_item(done) for name, done in found.items()} for found in rounds]
    absolute = spread([found[contender.module] for found in rates]).median
    return f"{absolute:,.0f}/s = {show(paired(rates, AIOHTTP.module)[contender.module])}"


def server_words(ceiling: Measurement, results: Results) -> str:
    """A sentence on the server's load."""
    busy, who, where = max(
        (done["server"] / done["wall"], name, title)
        for title, rounds in results.items()
        for found in rounds
        for name, done in found.items()
        if "server" in done and name != SOCKETS.module
    )
    labels = {contender.module: contender.label.strip("*") for contender in EVERYONE}
    return (
        f"The server was busy for at most {busy:.0%} of any run ({labels[who]}, {where}). "
        f"Its limit is {1 / wall_per_item(ceiling):,.0f} responses per second."
    )
