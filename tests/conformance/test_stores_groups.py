"""Every store: many polls written in one transaction, each as if it were alone."""

import threading
from collections.abc import Callable, Sequence
from datetime import timedelta

from sqlalchemy import event

from feedsvc.errors import ClaimLost, StoreError, StoreUnavailable
from feedsvc.model import PollState, SourceMeta
from feedsvc.query import parse
from feedsvc.store import BACKENDS, SqlStore, open_store
from feedsvc.store.base import Claim, Committed, PollResult, Sought
from tests.storekit import HOUR, LEASE, NOW, add, claim, entry, found, key_of, poll, uids

LATER = PollState(next_at=NOW + HOUR, etag='"x"')


def result(*names: str, source: str = "a", **changes: object) -> PollResult:
    entries = tuple(entry(name, source=source, tags=["x", name]) for name in names)
    return PollResult(state=LATER, entries=entries, **changes)  # type: ignore[arg-type]


def claims(store: SqlStore, *sources: str) -> list[Claim]:
    return [claim(store, source) for source in sources]


def everything(store: SqlStore) -> list[object]:
    """All that anybody sees of a store; stored numbers of rows may differ."""
    return [
        store.sources(),
        store.find(parse(""), limit=100, now=NOW).entries,
        store.head(parse(""), limit=100, now=NOW),
        store.tags(),
        sorted((task.key, task.change) for task in store.tasks("link", 100)),
        store.waiting([Sought(text="elsewhere")], 10),
        store.known("a", ["one", "gone", "shared"]),
    ]


def polls_of(store: SqlStore) -> list[tuple[Claim, PollResult]]:
    """Polls that bring everything polls can bring, on a store that knows something already."""
    poll(store, *(entry(name, tags=["x"]) for name in ("one", "gone")), entry("old"))
    poll(store, entry("back", source="b"), source="b")
    poll(store, source="b", removed=("back",))
    poll(store, entry("ancient", source="c", published=NOW - 900 * HOUR), source="c")
    store.prune(before=NOW - 800 * HOUR, now=NOW)
    same = "urn:held-by-the-first"
    named = ("Something elsewhere", "Title of one")
    brought = {
        "a": PollResult(
            state=LATER,
            entries=(
                entry("one", title="Other words", tags=["y"], digest="changed"),
                entry("shared", id=same, tags=["x", "z"], references=named),
            ),
            removed=("gone", "never"),
            meta=SourceMeta(title="A feed"),
        ),
        "b": PollResult(
            state=LATER,
            entries=(entry("back", source="b"), entry("shared", source="b", id=same)),
            location="https://moved.example/",
        ),
        "c": PollResult(state=LATER, entries=(entry("ancient", source="c"),), removed=("nothing",)),
        "d": PollResult(state=LATER),
        "e": PollResult(state=LATER, enabled=False),
        "f": result(*map(str, range(9)), source="f", meta=SourceMeta(title="F")),
    }
    return list(zip(claims(store, *brought), brought.values(), strict=True))


def test_a_group_is_what_its_polls_are(open_fresh: Callable[[str], SqlStore]) -> None:
    seen = []
    for backend in sorted(BACKENDS):
        together, apart = open_fresh(backend), open_fresh(backend)
        outcomes = list(together.finish_polls(polls_of(together), NOW))
        assert outcomes == [apart.finish_poll(*each, NOW) for each in polls_of(apart)]
        assert everything(together) == everything(apart)
        seen.append((outcomes, everything(together)))
        assert together.check() == ()
    assert seen[0] == seen[1]
    assert [outcome.new for outcome in outcomes if isinstance(outcome, Committed)][2:5] == [()] * 3


def test_a_group_of_none_is_nothing(any_store: SqlStore) -> None:
    assert list(any_store.finish_polls([], NOW)) == []


def test_a_lost_claim_writes_nothing_and_harms_no_other(any_store: SqlStore) -> None:
    add(any_store, "a", "b", "c")
    first, lost, last = claims(any_store, "a", "b", "c")
    (taken,) = any_store.claim_due(
        now=NOW + 2 * LEASE, owner="other", lease=LEASE, limit=1, only=["b"], ignore_schedule=True
    )
    names = {"a": "one", "b": "two", "c": "three"}
    group = [
        (held, result(names[held.source.id], source=held.source.id))
        for held in (first, lost, last, first)
    ]
    done = any_store.finish_polls(group, NOW)
    assert [type(outcome) for outcome in done] == [Committed, ClaimLost, Committed, ClaimLost]
    assert sorted(uids(any_store)) == ["one", "three"]
    assert any_store.source("b").state.etag is None
    both = any_store.finish_polls([(lost, group[1][1]), (taken, group[1][1])], NOW)
    assert [type(outcome) for outcome in both] == [ClaimLost, Committed]
    assert any_store.check() == ()


def test_a_group_whose_claims_are_all_lost_changes_nothing(any_store: SqlStore) -> None:
    (held,) = claims(any_store, "a")
    any_store.release([held])
    change = any_store.change()
    for group in ([result("one")], [PollResult(state=LATER)]):
        (outcome,) = any_store.finish_polls([(held, each) for each in group], NOW)
        assert isinstance(outcome, ClaimLost)
        assert "“a” was taken over" in str(outcome)
    assert any_store.change() == change
    assert uids(any_store) == []


def test_a_poll_that_cannot_be_written_fails_alone(any_store: SqlStore) -> None:
    held = claims(any_store, "a", "b", "c")
    group = [(each, result(each.source.id * 3, source=each.source.id)) for each in held]
    wrong = entry("wrong", source="b", digest="half \ud800")
    group[1] = (held[1], PollResult(state=LATER, entries=(entry("fine", source="b"), wrong)))
    done = any_store.finish_polls(group, NOW)
    assert isinstance(done[1], StoreError)
    assert not isinstance(done[1], StoreUnavailable)
    assert [type(done[0]), type(done[2])] == [Committed, Committed]
    assert sorted(uids(any_store)) == ["aaa", "ccc"]
    assert any_store.check() == ()
    # the claim is still held, so that the failure can be noted
    assert any_store.finish_poll(held[1], PollResult(state=LATER), NOW) == Committed()


def statements(store: SqlStore, work: Callable[[], object]) -> list[tuple[str, bool]]:
    """What SQL something takes, and whether for many rows at once."""
    seen: list[tuple[str, bool]] = []

    def note(*arguments: object) -> None:
        seen.append((str(arguments[2]), bool(arguments[5])))

    event.listen(store.engine, "before_cursor_execute", note)
    try:
        work()
    finally:
        event.remove(store.engine, "before_cursor_execute", note)
    return seen


def test_the_number_of_statements_does_not_grow_with_the_polls(any_store: SqlStore) -> None:
    def write(*sources: str) -> int:
        changed = "".join(sources)
        group = [
            (
                held,
                PollResult(
                    state=LATER,
                    entries=(
                        entry("same", source=id, digest=changed, title=changed, tags=["x"]),
                        entry(changed, source=id, tags=[id], references=(f"Other {id}",)),
                    ),
                    removed=("none",),
                    meta=SourceMeta(title=changed),
                    enabled=True,
                ),
            )
            for held in claims(any_store, *sources)
            for id in [held.source.id]
        ]
        return len(statements(any_store, lambda: any_store.finish_polls(group, NOW)))

    many = [f"s{number}" for number in range(60)]
    write(*many)
    few = write("s1", "s2")
    assert write(*many) <= few + 1 <= 45


def test_idle_polls_are_one_update(any_store: SqlStore) -> None:
    ids = [f"s{number}" for number in range(300)]
    add(any_store, *ids)
    held = any_store.claim_due(now=NOW, owner="me", lease=LEASE, limit=300)
    change = any_store.change()
    group = [(each, PollResult(state=LATER)) for each in reversed(held)]
    seen = statements(any_store, lambda: any_store.finish_polls(group, NOW))
    assert [sql.split()[0] for sql, many in seen if many] == ["UPDATE"]
    assert len(seen) <= 5
    assert any_store.change() == change
    assert any_store.claim_due(now=NOW, owner="me", lease=LEASE, limit=300) == ()
    assert len(any_store.claim_due(now=NOW + HOUR, owner="me", lease=LEASE, limit=300)) == 300


def test_groups_of_many_pollers_do_not_stop_one_another(any_store: SqlStore) -> None:
    """Groups of the same sources in every order, beside extending, declaring and releasing."""
    ids = [f"s{number}" for number in range(12)]
    add(any_store, *ids)
    url = any_store.url.render_as_string(hide_password=False)
    errors: list[BaseException] = []
    written: list[str] = []

    def work(number: int) -> None:
        mine = open_store(url)
        try:
            for turn in range(10):
                at = NOW + turn * HOUR
                held = mine.claim_due(
                    now=at, owner=f"{number}", lease=LEASE, limit=5, ignore_schedule=True
                )
                order = held if number % 2 else tuple(reversed(held))
                mine.extend(order, at + LEASE)
                done = mine.finish_polls([each(held, number, turn) for held in order], at)
                written.extend(key for one in done for key in new(one))
        except BaseException as error:
            errors.append(error)
        finally:
            mine.close()

    def each(held: Claim, number: int, turn: int) -> tuple[Claim, PollResult]:
        id = held.source.id
        entries = (entry(f"{number}-{turn}-{id}", source=id, tags=["x", id]),)
        idle = turn % 3 == 0
        return held, PollResult(state=LATER, entries=() if idle else entries)

    def new(outcome: Committed | StoreError) -> Sequence[str]:
        return outcome.new if isinstance(outcome, Committed) else ()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert sorted(stored.entry.key for stored in found(any_store, limit=500)) == sorted(written)
    assert any_store.check() == ()


def test_known_many_knows_what_known_knows(any_store: SqlStore) -> None:
    poll(
        any_store,
        entry("one", tags=["x"], references=("Two",)),
        entry("old", published=NOW - 9 * HOUR),
    )
    poll(any_store, entry("one", source="b"), entry("gone", source="b"), source="b")
    poll(any_store, source="b", removed=("gone",))
    any_store.prune(before=NOW - timedelta(days=3), now=NOW)
    asked = {
        "a": ["one", "old", "never", *(f"{number}" for number in range(1_200))],
        "b": ["one", "gone", "old"],
        "c": ["one"],
        "nobody": [],
    }
    many = any_store.known_many(asked)
    assert many == {id: any_store.known(id, names) for id, names in asked.items()}
    assert {id: sorted(known) for id, known in many.items()} == {
        "a": ["old", "one"],
        "b": ["gone", "one"],
        "c": [],
        "nobody": [],
    }
    assert many["b"]["gone"].withdrawn
    assert many["b"]["one"].key == key_of("one", "b")
    seen = statements(any_store, lambda: any_store.known_many(asked))
    assert len(seen) <= 8
