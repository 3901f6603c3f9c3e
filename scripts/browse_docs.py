"""Checks every page of the documentation in a browser: python scripts/browse_docs.py FOLDER.

FOLDER is the output of scripts/docs. Headless Chromium opens each page at two widths, in light
and dark mode. Content must not overflow, code and tables must fit their column, links must work,
text must be readable, names must be linked to the reference, nothing may be loaded from elsewhere,
and the search must find the right pages. The checks are in browse_docs.html.
"""

import json
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final, cast

BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
LONGEST: Final = 300.0
OPTIONS: Final = (
    "--headless=new",
    "--no-sandbox",  # it opens only these pages, and the sandbox doesn't work for root
    "--disable-gpu",
    "--no-first-run",
)
CHECKS: Final = "/browse_docs.html"
UNKNOWN: Final = "/no/such/page.html"  # an address for which servers return 404.html


class Server(ThreadingHTTPServer):
    """Serves the pages and collects the report on them."""

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
        self.pages = [f"/{path.relative_to(folder).as_posix()}" for path in folder.rglob("*.html")]
        self.reports: queue.Queue[Any] = queue.Queue()
        self.missing: list[str] = []


class Handler(SimpleHTTPRequestHandler):
    """Serves the pages and the page that runs the checks, and receives its report."""

    def do_GET(self) -> None:
        """Send a page, or the page that runs the checks."""
        if self.path == CHECKS:
            self._send("text/html", Path(__file__).with_suffix(".html").read_bytes())
        elif self.path == "/pages.json":
            pages = sorted([*self._report_server.pages, UNKNOWN])
            self._send("application/json", json.dumps(pages).encode())
        elif self.path == UNKNOWN:
            self._send("text/html", Path(self.directory, "404.html").read_bytes())
        else:
            super().do_GET()

    def do_POST(self) -> None:
        """Receive the report."""
        self._report_server.reports.put(
            json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        )
        self._send("text/plain", b"")

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Record requests for missing files."""
        del size
        if code == HTTPStatus.NOT_FOUND and self.path != "/favicon.ico":
            self._report_server.missing.append(f"missing file: {self.path}")

    def log_error(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Print nothing, because `log_request` records missing files."""

    @property
    def _report_server(self) -> Server:
        return cast("Server", self.server)

    def _send(self, kind: str, body: bytes) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def browse(browser: str, folder: Path) -> list[str]:
    """Return the problems found in the pages."""
    with Server(folder) as server, tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}{CHECKS}"
        line = [browser, *OPTIONS, f"--user-data-dir={home}", address]
        process = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603
        try:
            report = server.reports.get(timeout=LONGEST)
        finally:
            process.terminate()
            process.wait(timeout=60)
            server.shutdown()
    print(f"{report['checks']} checks of {len(server.pages)} pages.")
    return [*report["problems"], *sorted(set(server.missing))]


def main(folder: Path) -> int:
    """Check the pages and print the problems; return 1 if there are any."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        print(f"Skipped, because none of {', '.join(BROWSERS)} is installed.")
        return 0
    problems = browse(browser, folder.resolve())
    for problem in problems:
        print(" ".join(problem.split()))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
