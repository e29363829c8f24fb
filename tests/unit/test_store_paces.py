"""What is remembered of how often words are met."""

from feedsvc.query.ast import Words
from feedsvc.store.paces import EVERYTHING, Paces


def test_a_pace_is_remembered_for_a_while() -> None:
    now = [0.0]
    paces = Paces(clock=lambda: now[0])
    paces.put(Words(("oil",)), 5.0)
    paces.put(Words(("gas",)), EVERYTHING)
    now[0] = 599.0
    paces.put(Words(("gas",)), 7.0)
    assert paces.get(Words(("oil",))) == 5.0
    assert paces.get(Words(("coal",))) is None
    now[0] = 601.0
    assert paces.get(Words(("oil",))) is None
    assert paces.get(Words(("gas",))) == 7.0


def test_the_oldest_are_forgotten_when_there_are_many() -> None:
    paces = Paces(clock=lambda: 0.0)
    for number in range(5_001):
        paces.put(Words((f"{number}",)), float(number))
        paces.put(Words(("often",)), 1.0)
    assert paces.get(Words(("0",))) is None
    assert paces.get(Words(("2",))) == 2.0
    assert paces.get(Words(("often",))) == 1.0
