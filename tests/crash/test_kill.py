"""kill -9 of either or both daemons at random moments under load, then the ledger is checked.
CRASH_KILLS says how many kills (default 50), CRASH_SEED repeats a run's choices."""
import os, random

from daemons import Toque
from ledger import Workload

KILLS = int(os.environ.get('CRASH_KILLS', '50'))
SEED = int(os.environ.get('CRASH_SEED', '0')) or random.SystemRandom().randrange(1, 1 << 30)
KILLS_A_ROUND = 25


def test_nothing_acknowledged_is_lost(tmp_path):
    print(f'seed {SEED}')
    chance, killed, promised, round_number = random.Random(SEED), 0, 0, 0
    while killed < KILLS:
        folder = tmp_path / f'round{round_number}'
        folder.mkdir()
        toque = Toque(folder, clock='manual')
        try:
            kills = min(KILLS_A_ROUND, KILLS - killed)
            promised += one_round(toque, chance, kills, SEED + round_number)
        finally:
            toque.kill()
        killed, round_number = killed + kills, round_number + 1
    print(f'{killed} kills, {promised} promises kept')
    assert promised > KILLS


def one_round(toque, chance, kills, seed):
    toque.start()
    work = Workload(toque.topic_port, toque.queue_ports[0], seed)
    work.set_up()
    work.start()
    for _ in range(kills):
        work.ledger.wait_turns(chance.randint(1, 300), lambda: True)
        victims = chance.choice(([toque.queued], [toque.topicd], [toque.queued, toque.topicd]))
        for v in victims:
            v.kill()
        for v in chance.sample(victims, len(victims)):
            v.start()
        if chance.random() < 0.3:
            toque.advance(chance.randint(1, 40), door='queued')
    work.finish()
    # Whatever waits in the outbox goes over; then everything in flight becomes visible.
    toque.topicd.kill()
    toque.topicd.start()
    toque.wait_linked()
    toque.advance(100)
    return work.reckon()
