"""`python -m conversations_client`: the same as `conversations`."""

import sys

from conversations_client.cli import main

if __name__ == "__main__":
    sys.exit(main())
