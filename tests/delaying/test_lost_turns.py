"""Turns are lost in the middle, owners are replaced, daemons die with turns in flight; then the ledger
is checked. Over build/delaying only: the engine of these daemons does it by itself (delaying.h).
DELAYING_ROUNDS says how many rounds (default 6), DELAYING_SEED repeats a run's choices."""
import os, random, threading

import pytest
from daemons import BUILD, Toque
from ledger import Workload

ROUNDS = int(os.environ.get('DELAYING_ROUNDS', '6'))
SEED = int(os.environ.get('DELAYING_SEED', '0')) or random.SystemRandom().randrange(1, 1 << 30)
REPLACED = 3  # exit status of a daemon whose store somebody else has taken
TURNS_A_ROUND = 600

pytestmark = pytest.mark.skipif(BUILD.name != 'delaying', reason='not over the delaying engine')


def bad_luck(chance):
    """What the engine of one process does: some of its turns fail, and one finds another owner."""
    return {'TOQUE_DELAY_SEED': str(chance.randrange(1, 1 << 30)),
            'TOQUE_DELAY_MS': str(chance.choice((0, 2, 10))),
            'TOQUE_DELAY_WINDOW': str(chance.choice((1, 2, 8))),
            'TOQUE_DELAY_FAIL': str(chance.choice((0, 100, 400))),
            'TOQUE_DELAY_FENCE': str(chance.choice((0, chance.randrange(20, 300))))}


class Keeper(threading.Thread):
    """Starts again whoever was replaced, as a supervisor would."""

    def __init__(self, daemons, chance):
        super().__init__(daemon=True)
        self.daemons, self.chance, self.over = daemons, chance, threading.Event()
        self.lock, self.replaced, self.wrong = threading.Lock(), 0, []

    def run(self):
        while not self.over.is_set():
            with self.lock:
                for d in self.daemons:
                    if d.is_alive():
                        continue
                    status = d.wait_end()
                    if status != REPLACED:
                        self.wrong.append(f'{d.program} ended with {status}:\n{d.tail()}')
                    self.replaced += 1
                    d.env = bad_luck(self.chance)
                    d.start()
            self.over.wait(0.01)

    def end(self):
        self.over.set()
        self.join()
        assert not self.wrong, '\n'.join(self.wrong)


def test_nothing_acknowledged_is_lost(tmp_path):
    print(f'seed {SEED}')
    chance, promised, replaced = random.Random(SEED), 0, 0
    for n in range(ROUNDS):
        folder = tmp_path / f'round{n}'
        folder.mkdir()
        toque = Toque(folder, clock='manual')
        try:
            kept, away = one_round(toque, chance, SEED + n)
        finally:
            toque.kill()
        promised, replaced = promised + kept, replaced + away
    print(f'{ROUNDS} rounds, {promised} promises kept, {replaced} owners replaced')
    assert promised > ROUNDS * TURNS_A_ROUND // 4


def one_round(toque, chance, seed):
    toque.start()
    work = Workload(toque.topic_port, toque.queue_ports, seed)
    work.set_up()
    both = [toque.queued, toque.topicd]
    for d in both:
        d.kill()
        d.env = bad_luck(chance)
        d.start()
    keeper = Keeper(both, chance)
    keeper.start()
    work.start()
    for _ in range(3):
        work.ledger.wait_turns(TURNS_A_ROUND // 3)
        with keeper.lock:
            victim = chance.choice(both)
            if victim.is_alive():
                victim.kill()
                victim.env = bad_luck(chance)
                victim.start()
    work.finish()
    keeper.end()
    for d in both:
        d.kill()
        d.env = {}
        d.start()
    toque.wait_linked()
    toque.advance(100)
    return work.reckon(), keeper.replaced
