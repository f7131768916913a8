"""No answer leaves before the fdatasync of what it promises has returned: proved message by message
from a trace of what both daemons write, sync and send, and shown to see it where it is not so."""
import itertools, threading

from traffic import Caller, body_of

CALLERS, EACH = 8, 60


def run_callers(work):
    """`work(caller number)` in several threads; the first exception of any is raised."""
    failures = []

    def run(number):
        try:
            work(number)
        except BaseException as e:  # noqa: B036
            failures.append(e)

    threads = [threading.Thread(target=run, args=(n,)) for n in range(CALLERS)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if failures:
        raise failures[0]


def too_early(trace, mark_of_id, wal):
    """Messages whose id left in an answer before the WAL with their body was synced."""
    written, synced, early, seen = {}, set(), set(), set()
    waiting = set()
    for line in trace.read_text().splitlines():
        kind, name, *rest = line.split(' ')
        if kind == 'W' and name == wal:
            for mark in map(int, rest):
                written[mark] = True
                waiting.add(mark)
        elif kind == 'S' and name == wal:
            synced |= waiting
            waiting = set()
        elif kind == 'A':
            for mark in (mark_of_id[i] for i in rest if i in mark_of_id):
                seen.add(mark)
                if mark not in synced:
                    early.add(mark)
    assert seen == set(mark_of_id.values()), 'an answer was not seen'
    assert set(written) >= seen, 'a body was not seen'
    return early


def traffic(toque):
    """Messages over every road: each door, single and in batches, by queue and by topic."""
    ids, lock, marks = {}, threading.Lock(), itertools.count(1)
    first = Caller(toque.queue_ports[0])
    url = first.create_queue('q')
    first.create_queue('r')
    front = Caller(toque.topic_port)
    topic = front.create_topic('t')
    front.subscribe(topic, 'q')
    front.subscribe(topic, 'r', raw=False)

    def note(mark, message_id):
        with lock:
            ids[message_id] = mark

    def work(number):
        direct, through = Caller(toque.queue_ports[0]), Caller(toque.topic_port)
        for n in range(EACH):
            mark = next(marks)
            if n % 4 == 0:
                note(mark, direct.send(url, body_of(mark)))
            elif n % 4 == 1:
                note(mark, through.send(url, body_of(mark, 900)))
            elif n % 4 == 2:
                note(mark, through.publish(topic, body_of(mark)))
            else:
                more = [mark] + [next(marks) for _ in range(3)]
                answer = direct.sqs('SendMessageBatch', QueueUrl=url, Entries=[
                    {'Id': str(m), 'MessageBody': body_of(m)} for m in more])
                assert not answer.get('Failed')
                for entry in answer['Successful']:
                    note(int(entry['Id']), entry['MessageId'])

    run_callers(work)
    return ids


def test_no_answer_before_its_sync(make_plugged):
    toque = make_plugged(trace=True).start()
    ids = traffic(toque)
    toque.stop()
    assert len(ids) == CALLERS * EACH // 4 * 7
    assert too_early(toque.trace, ids, 'queued.db-wal') == set()


def test_the_proof_sees_an_answer_that_is_early(make_plugged):
    """With relaxed durability nothing is synced before the answers, and the same proof says so."""
    toque = make_plugged(trace=True, queue_options={'durability': 'relaxed'}).start()
    ids = traffic(toque)
    toque.stop()
    assert too_early(toque.trace, ids, 'queued.db-wal')


def test_outbox_is_synced_before_the_answer(make_plugged):
    """With queued away a publish is acknowledged once it is safe in topicd's outbox."""
    toque = make_plugged(trace=True).start()
    first, front = Caller(toque.queue_ports[0]), Caller(toque.topic_port)
    first.create_queue('q')
    topic = front.create_topic('t')
    front.subscribe(topic, 'q')
    toque.queued.kill()
    ids = {}
    for mark in range(1, 40):
        ids[front.publish(topic, body_of(mark))] = mark
    assert too_early(toque.trace, ids, 'topicd.db-wal') == set()
