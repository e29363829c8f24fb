"""What a source's habits made us do differently, in words for listings."""

from datetime import datetime

from .model import PollState
from .polls import PageTroubles


def notes(state: PollState, pages: PageTroubles | None = None) -> tuple[str, ...]:
    """A sentence for each way in which a source is not taken at its word.

    One more tells of `pages` that could not be read for their full text.
    """
    told: list[str] = []
    if (ids := state.ids) is not None:
        if ids.by_link is not None:
            told.append(
                f"its ids change from fetch to fetch: since {_day(ids.by_link)} entries are told "
                "by link, title and date"
            )
        elif ids.changed_at is not None:
            told.append(
                f"entries came under other ids, last on {_day(ids.changed_at)}; they were "
                "recognised by link, title and date"
            )
        if ids.reused_at is not None:
            told.append(
                f"an id was used again for another entry, last on {_day(ids.reused_at)}: "
                "both are kept, the later one under an id of ours"
            )
        if ids.shared_at is not None:
            told.append(
                f"several entries shared an id, last on {_day(ids.shared_at)}: they are told "
                "apart by link and title"
            )
    if (churn := state.churn) is not None and churn.since is not None:
        taken = f"; last on {churn.taken:%Y-%m-%d %H:%M} UTC" if churn.taken else ""
        told.append(
            f"churning since {_day(churn.since)}: it rewrites its entries at every fetch, so "
            f"changes are taken once in poll.churn_interval{taken}"
        )
    if state.behind is not None:
        told.append(
            f"since {_day(state.behind)} it shows older versions of entries than before: the newer "
            "ones are kept, for a day"
        )
    if pages is not None:
        told.append(spoken_pages(pages))
    return tuple(told)


def spoken_pages(pages: PageTroubles) -> str:
    """How many pages of a source could not be read for their full text, and why the last one."""
    count = "1 page" if pages.failed == 1 else f"{pages.failed:,} pages"
    return (
        f"full text: {count} could not be read, the last on {pages.at:%Y-%m-%d %H:%M} UTC: "
        f"{pages.link}: {pages.error}"
    )


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"
