import os, pathlib, subprocess, sys

import pytest

HERE = pathlib.Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / 'e2e')]
from daemons import BUILD, Toque, preload  # noqa: E402


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


class Plugged(Toque):
    """Daemons under the plug: what they do is journalled, traced, or made to fail."""

    def __init__(self, folder, plug, journal=False, trace=False, **how):
        self.journal, self.trace = folder / 'journal', folder / 'trace'
        self.control, self.countdown = folder / 'fail', folder / 'kill'
        env = {'LD_PRELOAD': preload(plug), 'PLUG_FAIL': str(self.control),
               'PLUG_KILL': str(self.countdown)}
        if journal:
            self.journal.mkdir()
            env['PLUG_JOURNAL'] = str(self.journal)
        if trace:
            env['PLUG_TRACE'] = str(self.trace)
        super().__init__(folder, env=env, **how)
        for d in [self.topicd, *self.queueds]:
            d.options['sandbox'] = 'off'  # the plug has files of its own

    def fail(self, text):
        fresh = self.control.with_suffix('.new')
        fresh.write_text(text)
        fresh.rename(self.control)

    def heal(self):
        self.control.unlink(missing_ok=True)

    def die_after(self, operations):
        """The daemon that does so many more operations on its database dies instead of the next."""
        self.countdown.write_text(str(operations))

    def live_on(self):
        self.countdown.unlink(missing_ok=True)

    def power_cut(self, seed=None, keep='random'):
        """Both die, and what was not synced is gone; returns what was undone."""
        import power_cut
        self.kill()
        return power_cut.cut(self.journal, seed, keep)


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
