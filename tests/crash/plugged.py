"""Daemons under plug.so."""
from daemons import Toque, preload


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
