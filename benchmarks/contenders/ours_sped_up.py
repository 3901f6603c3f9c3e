"""This package with its extra `speedups`, where JSON is what takes the time."""

from contenders.ours import events, page
from harness.measuring import run

if __name__ == "__main__":
    run(page=page, events=events)
