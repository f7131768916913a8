"""Every bug in the lists of tests/mutate can be put into the tree as it is; `make mutate` runs them."""
import collections, sys

from daemons import ROOT

sys.path.insert(0, str(ROOT / 'tests/mutate'))
from mutations import ROOMS, read_all  # noqa: E402


def test_every_mutation_applies():
    assert [f'{m.room}.txt: {m.what}: {m.complaint()}' for m in read_all() if m.complaint()] == []


def test_there_are_enough_of_them():
    count = collections.Counter(m.room for m in read_all())
    assert sum(count.values()) >= 150 and all(count[room] >= 30 for room in ROOMS)
    assert all(m.file.startswith(f'{m.room}/') for m in read_all())
    names = collections.Counter(m.name for m in read_all())
    assert [name for name, n in names.items() if n > 1] == []


def test_the_named_suites_exist():
    there = {p.name for folder in ('e2e', 'attack', 'crash', 'delaying')
             for p in (ROOT / 'tests' / folder).rglob('test_*.py')}
    assert [(m.what, name) for m in read_all() for name in m.tests if name not in there] == []
