"""The rounds of a comparison as Markdown. No I/O."""

from collections.abc import Sequence

from harness import tables
from harness.columns import Column, Round, bytes_per_item, peak, ratios, wall_per_item
from harness.measuring import Measurement
from harness.ratios import paired, spread
from harness.roster import AIOHTTP, EVERYONE, SOCKETS, Contender


def cost_table(columns: Sequence[Column], results: dict[str, list[Round]]) -> str:
    """Ratios, a row for each contender."""
    found = [ratios(column, results[column.title]) for column in columns]
    rows = [
        [contender.label, *(_cell(column, contender, results) for column in columns)]
        for contender in EVERYONE
        if any(contender.module in column for column in found)
    ]
    return tables.table(["", *(column.title for column in columns)], rows)


def _cell(column: Column, contender: Contender, results: dict[str, list[Round]]) -> str:
    rounds = results[column.title]
    found = ratios(column, rounds).get(contender.module)
    if found is None:
        return tables.ABSENT
    if contender is column.baseline:
        cost = spread([column.cost(done[contender.module]) for done in rounds]).median
        if column.cost is peak:
            words = f"{cost / 2**20:.1f} MiB"
        else:
            words = f"{cost:.0f} bytes" if column.cost is bytes_per_item else tables.seconds(cost)
        return f"1.00 = {words}"
    return tables.ratio(found)


def rate_table(columns: Sequence[Column], results: dict[str, list[Round]]) -> str:
    """Calls per second, a row for each contender."""
    rows = [
        [contender.label, *(_rate(contender, results[column.title]) for column in columns)]
        for contender in columns[0].contenders
    ]
    return tables.table(["", *(column.title for column in columns)], rows)


def _rate(contender: Contender, rounds: Sequence[Round]) -> str:
    rates = [{name: 1 / wall_per_item(done) for name, done in found.items()} for found in rounds]
    absolute = spread([found[contender.module] for found in rates]).median
    return f"{absolute:,.0f}/s = {tables.ratio(paired(rates, AIOHTTP.module)[contender.module])}"


def server_words(ceiling: Measurement, results: dict[str, list[Round]]) -> str:
    """How far the server was from its own limit."""
    busy, who, where = max(
        (done["server"] / done["wall"], name, title)
        for title, rounds in results.items()
        for found in rounds
        for name, done in found.items()
        if "server" in done and name != SOCKETS.module
    )
    return (
        f"The server was busy for at most {busy:.0%} of a run (`{who}`, {where}); asked without a "
        f"pause it gives {1 / wall_per_item(ceiling):,.0f} answers a second."
    )
