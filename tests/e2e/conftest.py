import sys, pathlib

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from daemons import Toque  # noqa: E402


@pytest.fixture
def toque(tmp_path):
    """Both daemons, clock running."""
    t = Toque(tmp_path)
    try:
        yield t.start()
        t.stop()
    finally:
        t.kill()


@pytest.fixture
def still(tmp_path):
    """Both daemons with a clock that only the test moves."""
    t = Toque(tmp_path, clock='manual')
    try:
        yield t.start()
        t.stop()
    finally:
        t.kill()


@pytest.fixture
def make_toque(tmp_path):
    """Any arrangement: make_toque(queueds=2, …); started by the test, ended here."""
    made = []

    def make(**how):
        folder = tmp_path / f't{len(made)}'
        folder.mkdir()
        made.append(Toque(folder, **how))
        return made[-1]

    try:
        yield make
    finally:
        for t in made:
            t.kill()
