"""What the suites over corpora counted, told at the end of a run."""

from typing import Any


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Prints the figures that tests recorded as the property `figures`."""
    reports = terminalreporter.stats.get("passed", []) + terminalreporter.stats.get("failed", [])
    told = [
        value
        for report in reports
        if getattr(report, "when", "") == "call"
        for name, value in report.user_properties
        if name == "figures"
    ]
    for line in sorted(told):
        terminalreporter.write_line(line)
