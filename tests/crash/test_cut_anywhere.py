"""Death at every single operation on a database, one after the other: of a first start, and of a turn.
With the process alone gone, and with all power. What comes after must start, and a turn is whole or
has left nothing."""
import signal

import pytest
from traffic import Caller, Lost, body_of, mark_of

STEPS_MAX = 300
CUTS = ['death', 'none', 'random']


def end(toque, how, seed):
    toque.kill()
    toque.live_on()
    if how != 'death':
        toque.power_cut(seed=seed, keep=how)


@pytest.mark.parametrize('program', ['queued', 'topicd'])
def test_a_first_start(make_plugged, program):
    for n in range(STEPS_MAX):
        toque = make_plugged(journal=True)
        daemon = toque.queued if program == 'queued' else toque.topicd
        toque.die_after(n)
        try:
            daemon.start()
            died = False
        except AssertionError:
            died = daemon.wait_end() == -signal.SIGKILL
            assert died, daemon.tail()
        end(toque, CUTS[n % 3], n)
        daemon.start()
        if program == 'queued':
            caller = Caller(toque.queue_ports[0])
            url = caller.create_queue('q')
            caller.send(url, 'x')
            assert caller.drain(url) == ['x']
        else:
            assert Caller(toque.topic_port).create_topic('t').endswith(':t')
        daemon.stop()
        if not died:
            break
    assert 5 < n < STEPS_MAX - 1


@pytest.mark.parametrize('how', CUTS)
def test_a_turn(make_plugged, how):
    """A batch of ten is one turn: all of it or nothing is there, and all when it was answered."""
    toque = make_plugged(journal=True, clock='manual')
    toque.queued.start()
    caller = Caller(toque.queue_ports[0])
    url = caller.create_queue('q')
    there = set()
    for n in range(STEPS_MAX):
        batch = set(range(n * 10, n * 10 + 10))
        toque.die_after(n)
        try:
            answer = caller.sqs('SendMessageBatch', QueueUrl=url, Entries=[
                {'Id': str(m), 'MessageBody': body_of(m, 1000 * (m % 10))} for m in sorted(batch)])
            assert len(answer['Successful']) == 10
            answered = True
        except Lost:
            answered = False
        end(toque, how, n)
        toque.queued.start()
        caller = Caller(toque.queue_ports[0])
        toque.advance(60, door='queued')
        bodies = caller.drain(url)
        now = {mark_of(b) for b in bodies}
        assert len(now) == len(bodies)
        assert now in ([there | batch] if answered else [there, there | batch])
        there = now
        if answered:
            break
    assert 10 < n < STEPS_MAX - 1
