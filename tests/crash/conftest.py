import os, pathlib, subprocess, sys

import pytest

HERE = pathlib.Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / 'e2e')]
from daemons import BUILD  # noqa: E402
from plugged import Plugged  # noqa: E402


@pytest.fixture(scope='session')
def plug():
    """The library that sees what a daemon writes, built where it is older than its source."""
    source, library = HERE / 'plug.c', BUILD / 'plug.so'
    if not library.exists() or library.stat().st_mtime < source.stat().st_mtime:
        fresh = library.with_suffix(f'.{os.getpid()}')
        subprocess.run([os.environ.get('CC', 'cc'), '-std=c11', '-O2', '-g', '-Wall', '-Wextra',
                        '-Werror', '-shared', '-fPIC', str(source), '-o', str(fresh), '-ldl'], check=True)
        fresh.rename(library)
    return library


@pytest.fixture
def make_plugged(tmp_path, plug):
    """make_plugged(journal=True, …): daemons under the plug, ended here."""
    made = []

    def make(**how):
        folder = tmp_path / f't{len(made)}'
        folder.mkdir()
        made.append(Plugged(folder, plug, **how))
        return made[-1]

    try:
        yield make
    finally:
        for t in made:
            t.kill()
