"""kill -9 of any of the daemons at random moments under load, and whatever else may happen to them
(faults.py); then the ledger is checked. CRASH_KILLS says how many kills (default 50), CRASH_SEED repeats
a run's choices."""
import collections, os, random

import faults
from ledger import Workload

KILLS = int(os.environ.get('CRASH_KILLS', '50'))
SEED = int(os.environ.get('CRASH_SEED', '0')) or random.SystemRandom().randrange(1, 1 << 30)
KILLS_A_ROUND = 25
# By now everything is visible: hidden for 30 s at most, by a clock that was stepped.
VISIBLE_S = 30 + 2 * faults.STEP_MAX_S


def test_nothing_acknowledged_is_lost(tmp_path, plug):
    print(f'seed {SEED}')
    promised, happened, round_number = 0, collections.Counter(), 0
    while happened['kills'] < KILLS:
        folder = tmp_path / f'r{round_number}'
        folder.mkdir()
        seed = SEED + round_number
        house = faults.House(folder, plug, random.Random(seed))
        try:
            kills = min(KILLS_A_ROUND, KILLS - happened['kills'])
            promised += one_round(house, kills, seed, happened)
        finally:
            house.end()
        round_number += 1
    print(f'{promised} promises kept, {dict(happened)}')
    assert promised > KILLS


def one_round(house, kills, seed, happened):
    house.toque.start()
    house.work = work = Workload(house.toque.topic_port, house.toque.queue_ports, seed,
                                  clock_of=house.clock_of)
    work.set_up()
    work.start()
    killed = 0
    while killed < kills:
        work.ledger.wait_turns(house.chance.randint(1, 300))
        name, n = faults.one(house)
        happened[name] += 1
        killed += n
        if house.chance.random() < 0.3:
            house.toque.advance(house.chance.randint(1, 40), door='queued')
    happened['kills'] += killed
    work.finish()
    # Whatever waits in the outbox goes over; then everything in flight becomes visible.
    house.toque.topicd.kill()
    house.toque.topicd.start()
    house.toque.wait_linked()
    house.toque.advance(VISIBLE_S)
    return work.reckon()
