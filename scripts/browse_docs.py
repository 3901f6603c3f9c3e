"""Looks at every page of the documentation in a browser: python scripts/browse_docs.py FOLDER.

Each page is opened wide and narrow, light and dark, in a Chromium without a window: nothing may be
cut off, no link dead, no text hard to read, and the search has to find something. What is looked
for is in browse_docs.html; the folder is what scripts/docs makes.
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
    "--no-sandbox",  # it sees these pages alone, and root may not have one
    "--disable-gpu",
    "--no-first-run",
)
LOOKS: Final = "/browse_docs.html"


class Server(ThreadingHTTPServer):
    """Serves the pages, and keeps what comes of the look at them."""

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
        self.pages = [f"/{path.relative_to(folder).as_posix()}" for path in folder.rglob("*.html")]
        self.reports: queue.Queue[Any] = queue.Queue()
        self.lost: list[str] = []


class Handler(SimpleHTTPRequestHandler):
    """The pages, the look at them, and its report."""

    def do_GET(self) -> None:
        """Answer with a page, or with what looks at them."""
        if self.path == LOOKS:
            self._send("text/html", Path(__file__).with_suffix(".html").read_bytes())
        elif self.path == "/pages.json":
            self._send("application/json", json.dumps(sorted(self._kept.pages)).encode())
        else:
            super().do_GET()

    def do_POST(self) -> None:
        """Take the report."""
        self._kept.reports.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self._send("text/plain", b"")

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Keep what was asked for in vain."""
        del size
        if code == HTTPStatus.NOT_FOUND and self.path != "/favicon.ico":
            self._kept.lost.append(f"asked for in vain: {self.path}")

    def log_error(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Say nothing: `log_request` has heard of it."""

    @property
    def _kept(self) -> Server:
        return cast("Server", self.server)

    def _send(self, kind: str, body: bytes) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def browse(browser: str, folder: Path) -> list[str]:
    """What is wrong with the pages."""
    with Server(folder) as server, tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}{LOOKS}"
        line = [browser, *OPTIONS, f"--user-data-dir={home}", address]
        process = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603
        try:
            report = server.reports.get(timeout=LONGEST)
        finally:
            process.terminate()
            process.wait(timeout=60)
            server.shutdown()
    print(f"{report['looks']} looks at {len(server.pages)} pages.")
    return [*report["problems"], *sorted(set(server.lost))]


def main(folder: Path) -> int:
    """Look, and say what was found; 1 if anything is wrong."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        print(f"None of {', '.join(BROWSERS)} is on this machine: nobody looked at the pages.")
        return 0
    problems = browse(browser, folder.resolve())
    for problem in problems:
        print(" ".join(problem.split()))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
