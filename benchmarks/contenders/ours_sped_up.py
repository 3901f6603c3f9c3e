"""This package with the `speedups` extra."""

from contenders.ours import construct, create, create_async, events, first, listing, memory, page
from harness.measuring import run

if __name__ == "__main__":
    run(
        construct=construct,
        first=first,
        create=create,
        create_async=create_async,
        events=events,
        listing=listing,
        memory=memory,
        page=page,
    )
