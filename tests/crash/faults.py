"""What goes wrong under load, beside kills: a table. Each fault ends all by itself before the next one
begins, so that the ledger knows what it may cost."""
import http.client, shutil, signal

from plugged import Plugged
from relay import Relay

QUEUEDS = 3
# Of a pause, a cut or a full disk; until so much was acknowledged, or refused, all the same.
GOES_ON = 50
WAITS_S = 1
STEP_MAX_S = 60


class House:
    """A topicd, three queueds, and the links between them, each with its own troubles."""

    def __init__(self, folder, plug, chance):
        self.folder, self.chance, self.work = folder, chance, None
        self.toque = Plugged(folder, plug, queueds=QUEUEDS, clock='manual')
        self.relays = [Relay(folder / f'r{n}', folder / self.toque.link(n)[len('ipc://'):])
                       for n in range(QUEUEDS)]
        self.toque.topicd.options['queued'] = ','.join(f'ipc://{r.path}' for r in self.relays)
        self.daemons = [self.toque.topicd, *self.toque.queueds]
        for n, d in enumerate(self.daemons):
            d.env = {**d.env, 'PLUG_FAIL': str(folder / f'fail{n}'), 'PLUG_CLOCK': str(folder / f'clock{n}')}
        self.copied = None   # the ledger's turn when topicd's directory was copied
        self.moves = 0

    def end(self):
        self.toque.kill()
        for relay in self.relays:
            relay.cut()

    def clock_of(self, n):
        try:
            status, answer = self.toque.page('POST', '/_toque/clock', {'advance_ms': 0},
                                             'queued' if n == 0 else f'queued{n + 1}')
        except (OSError, http.client.HTTPException):
            return None
        return answer['now_ms'] if status == 200 else None

    def down(self, daemons):
        for d in daemons:
            d.kill()

    def up(self, daemons):
        for d in self.chance.sample(daemons, len(daemons)):
            d.start()

    def some(self, of):
        return self.chance.sample(of, self.chance.randint(1, len(of)))


def kill(house):
    victims = house.some(house.daemons)
    house.down(victims)
    house.up(victims)
    return len(victims)


def pause(house):
    victim = house.chance.choice(house.daemons)
    victim.process.send_signal(signal.SIGSTOP)
    house.work.ledger.wait_turns(GOES_ON, WAITS_S, must=False)
    victim.process.send_signal(signal.SIGCONT)


def cut_links(house):
    cut = house.some(house.relays)
    for relay in cut:
        relay.cut()
    house.work.ledger.wait_turns(house.chance.randint(0, GOES_ON), WAITS_S, must=False)
    for relay in cut:
        relay.join()


def fill_disk(house):
    n = house.chance.randrange(len(house.daemons))
    control = house.folder / f'fail{n}'
    fresh = control.with_suffix('.new')
    fresh.write_text(house.chance.choice(('ENOSPC grow', 'ENOSPC write', 'EDQUOT grow write')))
    fresh.rename(control)
    house.work.ledger.wait_turns(GOES_ON, WAITS_S, must=False)
    control.unlink()


def restore_topicd(house):
    """Copies topicd's directory, or brings the copy back: what it was asked since then is forgotten."""
    topicd, now, copy = house.toque.topicd, house.folder / 'topicd', house.folder / 'topicd.copy'
    house.down([topicd])
    if house.copied is None:
        house.copied = house.work.ledger.turn
        shutil.copytree(now, copy, ignore=lambda _, names: [n for n in names if n.endswith('.key')])
    else:
        house.work.ledger.excuse(house.copied)
        shutil.rmtree(now)
        copy.rename(now)
        house.copied = None
    house.up([topicd])


def move(house):
    """Two queueds get other directories, and each the other's address."""
    a, b = house.chance.sample(range(QUEUEDS), 2)
    house.down([house.toque.queueds[a], house.toque.queueds[b]])
    for n in (a, b):
        house.moves += 1
        options = house.toque.queueds[n].options
        there = house.folder / f'moved{house.moves}'
        shutil.move(options['data_dir'], there)
        options['data_dir'] = str(there)
    one, other = house.relays[a], house.relays[b]
    one.target, other.target = other.target, one.target
    one.cut()
    other.cut()
    one.join()
    other.join()
    house.up([house.toque.queueds[a], house.toque.queueds[b]])


def step_clock(house):
    """The wall clock of one is another one when it starts again."""
    n = house.chance.randrange(len(house.daemons))
    house.down([house.daemons[n]])
    (house.folder / f'clock{n}').write_text(str(house.chance.randint(-STEP_MAX_S, STEP_MAX_S)))
    house.up([house.daemons[n]])


# What, how often, and whether it kills: how many daemons one of it takes.
FAULTS = [(kill, 12), (pause, 3), (cut_links, 3), (fill_disk, 2), (restore_topicd, 2), (move, 1),
          (step_clock, 2)]
KILLS = {restore_topicd: 1, move: 2, step_clock: 1}


def one(house):
    """One of them; returns its name, and how many daemons were killed."""
    fault = house.chance.choices([f for f, _ in FAULTS], [w for _, w in FAULTS])[0]
    killed = fault(house)
    return fault.__name__, killed if fault is kill else KILLS.get(fault, 0)
