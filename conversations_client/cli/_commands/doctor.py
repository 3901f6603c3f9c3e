"""`conversations doctor`: finds configuration and network problems."""

import time

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from conversations_client import ConversationsError
from conversations_client.cli._commands import doctor_probes
from conversations_client.cli._commands.doctor_checks import (
    AnyResponse,
    Finding,
    Probes,
    Verdict,
    diagnose,
)
from conversations_client.cli._display.printable import one_line
from conversations_client.cli._exit_codes import ExitCode
from conversations_client.cli._session import Injected, Target

_STYLES = {Verdict.OK: "green", Verdict.WARN: "yellow", Verdict.FAIL: "bold red"}


def doctor(*, session: Injected) -> ExitCode:
    """Check the key, URL, proxy, DNS, TCP, TLS, service and clock.

    Args:
        session: The common options and the output.
    """
    with session.target() as target:
        findings = diagnose(
            api_key=target.api_key, base_url=target.base_url, probes=probes_for(target)
        )
    session.output.several(findings, _findings_table)
    failed = any(finding.verdict is Verdict.FAIL for finding in findings)
    return ExitCode.FAILED if failed else ExitCode.DONE


def probes_for(target: Target) -> Probes:
    """Probes that use the real network, clock and service."""

    def ask() -> AnyResponse:
        try:
            with target.client() as client:
                return client.conversations.with_raw_response.list(limit=1)
        except ConversationsError as error:
            return error

    return Probes(
        proxy_for=doctor_probes.no_proxy if target.is_local else doctor_probes.proxy_for,
        resolve=doctor_probes.resolve,
        connect=doctor_probes.connect,
        certificate_end=doctor_probes.certificate_end,
        ask=ask,
        now=time.time,
    )


def _findings_table(findings: list[Finding], _now: float) -> RenderableType:
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    table.add_column("Check", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("Found", overflow="fold")
    for finding in findings:
        text = Text(one_line(finding.found))
        if finding.advice:
            text.append(f"\n{one_line(finding.advice)}", "bold")
        table.add_row(finding.check, Text(finding.verdict, _STYLES[finding.verdict]), text)
    return table
