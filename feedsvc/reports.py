"""How polls went, for people: one report each, and a run of them added up."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from .model import Problem

Result = Literal["new", "updated", "unchanged", "failed", "lost"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PollReport:
    """How one poll went, for people; with `more` there is something left that it did not take."""

    source: str
    result: Result
    new: int = 0
    updated: int = 0
    withdrawn: int = 0
    problems: tuple[Problem, ...] = ()
    error: str | None = None
    more: bool = False

    def followed_by(self, then: "PollReport") -> "PollReport":
        """This and the next poll of the same source as one."""
        news = self.result if then.result == "unchanged" else then.result
        counts = {n: getattr(self, n) + getattr(then, n) for n in ("new", "updated", "withdrawn")}
        return replace(then, result=news, **counts)


@dataclass(slots=True)
class Summary:
    """A run of polls added up; `left_alone` are sources it was asked for, each with the reason."""

    reports: list[PollReport] = field(default_factory=list)
    left_alone: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    def total(self, what: Literal["new", "updated", "withdrawn"]) -> int:
        """How many entries were new, updated or withdrawn."""
        return sum(getattr(report, what) for report in self.reports)

    @property
    def failed(self) -> list[PollReport]:
        """The polls that failed, each with its reason."""
        return [report for report in self.reports if report.result == "failed"]

    @property
    def unchanged(self) -> int:
        """How many sources had nothing new."""
        return sum(report.result == "unchanged" for report in self.reports)
