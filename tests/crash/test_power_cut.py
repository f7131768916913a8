"""Loss of power: both daemons die and what they had not synced is taken back, wholly or in any
mixture that a disk may leave. Whatever was acknowledged before is there afterwards."""
import itertools, os, random, threading, time

import pytest
from traffic import Caller, Ledger, Lost, Refused, body_of, mark_of

# With `make crash` as many more as there are more kills.
CUTS = int(os.environ.get('POWER_CUTS') or max(8, int(os.environ.get('CRASH_KILLS', '0')) // 10))
SENDERS, RECEIVERS = 6, 3
# Large ones fill the WAL, so that it is copied and begun anew under way.
SIZES = [0, 100, 3000, 20000, 200000]
# Longer than any visibility timeout in here, and over all rounds far shorter than the retention.
HIDDEN_S = 600


def everything(toque, url):
    """All bodies of a queue: what was in flight is made visible first; the clock stands still, so each
    message is received once."""
    toque.advance(HIDDEN_S, door='queued')
    caller = Caller(toque.queue_ports[0])
    bodies = caller.drain(url)
    caller.close()
    return bodies


class Workload:
    """Senders, publishers and receivers over one queue and one topic with two queues, until the
    daemons die."""

    def __init__(self, toque, urls, topic, marks, ledgers):
        self.toque, self.urls, self.topic, self.marks, self.ledgers = toque, urls, topic, marks, ledgers
        self.threads, self.done, self.count = [], threading.Event(), itertools.count(1)
        self.failures = []

    def acknowledged(self):
        if next(self.count) == self.wanted:
            self.done.set()

    def send(self, chance):
        direct, ledger = Caller(self.toque.queue_ports[0]), self.ledgers['a']
        while True:
            mark = next(self.marks)
            with ledger.lock:
                ledger.tried.add(mark)
            message_id = direct.send(self.urls['a'], body_of(mark, chance.choice(SIZES)))
            with ledger.lock:
                ledger.sent[mark] = message_id
            self.acknowledged()

    def publish(self, chance):
        front, ledgers = Caller(self.toque.topic_port), [self.ledgers['b'], self.ledgers['c']]
        while True:
            mark = next(self.marks)
            for ledger in ledgers:
                with ledger.lock:
                    ledger.tried.add(mark)
            message_id = front.publish(self.topic, body_of(mark, chance.choice([0, 1000])))
            for ledger in ledgers:
                with ledger.lock:
                    ledger.sent[mark] = message_id
            self.acknowledged()

    def receive(self, chance):
        direct = Caller(self.toque.queue_ports[0])
        while True:
            name = chance.choice('abc')
            ledger = self.ledgers[name]
            for m in direct.receive(self.urls[name], wait=1):
                mark = mark_of(m['Body'])
                if chance.random() < 0.3:
                    continue
                with ledger.lock:
                    ledger.going.add(mark)
                direct.delete(self.urls[name], m['ReceiptHandle'])
                with ledger.lock:
                    ledger.deleted.add(mark)

    def _until_lost(self, work, seed):
        try:
            work(random.Random(seed))
        except Lost:
            pass
        except BaseException as e:  # noqa: B036
            self.failures.append(e)
            self.done.set()

    def run(self, chance, wanted):
        """Until `wanted` calls were acknowledged; then the caller kills the daemons."""
        self.wanted = wanted
        works = [self.send] * (SENDERS // 2) + [self.publish] * (SENDERS // 2) + \
            [self.receive] * RECEIVERS
        for work in works:
            t = threading.Thread(target=self._until_lost, args=(work, chance.random()), daemon=True)
            t.start()
            self.threads.append(t)
        assert self.done.wait(60), 'the daemons answer too slowly'
        assert not self.failures, self.failures

    def join(self):
        for t in self.threads:
            t.join(60)
            assert not t.is_alive()
        assert not self.failures, self.failures


def arrange(toque):
    direct, front = Caller(toque.queue_ports[0]), Caller(toque.topic_port)
    urls = {name: direct.create_queue(name) for name in 'abc'}
    topic = front.create_topic('t')
    front.subscribe(topic, 'b')
    front.subscribe(topic, 'c', raw=False)
    return urls, topic


def rounds(toque, cuts, keep):
    urls, topic = arrange(toque)
    marks, ledgers = itertools.count(1), {name: Ledger() for name in 'abc'}
    undone = 0
    for n in range(cuts):
        chance = random.Random(n)
        load = Workload(toque, urls, topic, marks, ledgers)
        load.run(chance, chance.choice([1, 20, 300, 1500]))
        undone += sum(toque.power_cut(seed=n, keep=keep))
        load.join()
        toque.start()
        for name, ledger in ledgers.items():
            bodies = everything(toque, urls[name])
            ledger.check(bodies)
            ledger.settle(bodies)
    return undone


@pytest.mark.parametrize('keep', ['random', 'none'])
def test_nothing_acknowledged_is_lost(make_plugged, keep):
    toque = make_plugged(journal=True, clock='manual').start()
    assert rounds(toque, CUTS, keep) > 0, 'nothing was ever unsynced: the plug sees nothing'


def test_the_cut_takes_what_is_not_synced(make_plugged):
    """With relaxed durability the same cut loses what was acknowledged: so it would be seen."""
    toque = make_plugged(journal=True, queue_options={'durability': 'relaxed'}).start()
    direct = Caller(toque.queue_ports[0])
    url = direct.create_queue('q')
    toque.stop()
    toque.start()
    direct = Caller(toque.queue_ports[0])
    for mark in range(50):
        direct.send(url, body_of(mark))
    toque.power_cut(keep='none')
    toque.start()
    assert len(Caller(toque.queue_ports[0]).drain(url)) < 50


def wait_until(holds):
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end, 'in vain'
        time.sleep(0.02)


def test_after_an_idle_checkpoint(make_plugged):
    """What an idle daemon has copied into its database is there when the log that held it is begun anew."""
    toque = make_plugged(journal=True).start()
    direct = Caller(toque.queue_ports[0])
    url = direct.create_queue('q')
    marks = itertools.count(1)
    sent = [next(marks) for _ in range(12)]
    for mark in sent:
        direct.send(url, body_of(mark, 200000))
    database = toque.folder / 'queued/queued.db'
    wait_until(lambda: database.stat().st_size > 2000000)

    def is_begun_anew():
        sent.append(next(marks))
        direct.send(url, body_of(sent[-1]))
        return toque.page('GET', '/health', door='queued')[1]['wal_bytes'] < 1000000

    wait_until(is_begun_anew)
    toque.power_cut(keep='none')
    toque.start()
    assert sorted(mark_of(b) for b in Caller(toque.queue_ports[0]).drain(url)) == sent


def test_every_kind_of_answer(make_plugged):
    """The power goes right after the one answer that is looked at, and all that is not synced with it."""
    toque = make_plugged(journal=True, clock='manual').start()

    def cut():
        toque.power_cut(keep='none')
        toque.start()
        return Caller(toque.queue_ports[0]), Caller(toque.topic_port)

    direct, front = cut()
    url = direct.create_queue('q', VisibilityTimeout='77')
    direct, front = cut()
    assert direct.sqs('GetQueueAttributes', QueueUrl=url, AttributeNames=['VisibilityTimeout'])[
        'Attributes'] == {'VisibilityTimeout': '77'}
    direct.sqs('SetQueueAttributes', QueueUrl=url, Attributes={'VisibilityTimeout': '99'})
    direct, front = cut()
    assert direct.sqs('GetQueueAttributes', QueueUrl=url, AttributeNames=['VisibilityTimeout'])[
        'Attributes'] == {'VisibilityTimeout': '99'}
    topic = front.create_topic('t')
    direct, front = cut()
    front.subscribe(topic, 'q')
    direct, front = cut()
    front.publish(topic, body_of(1))
    direct, front = cut()
    direct.send(url, body_of(2))
    direct, front = cut()
    messages = direct.receive(url)
    assert sorted(mark_of(m['Body']) for m in messages) == [1, 2]
    direct.delete(url, messages[0]['ReceiptHandle'])
    direct, front = cut()
    assert [mark_of(b) for b in everything(toque, url)] == [mark_of(messages[1]['Body'])]
    direct.sqs('PurgeQueue', QueueUrl=url)
    direct, front = cut()
    assert everything(toque, url) == []
    direct.sqs('DeleteQueue', QueueUrl=url)
    direct, front = cut()
    with pytest.raises(Refused):
        direct.send(url, body_of(3))
    front.sns('DeleteTopic', TopicArn=topic)
    direct, front = cut()
    with pytest.raises(Refused):
        front.publish(topic, body_of(4))
