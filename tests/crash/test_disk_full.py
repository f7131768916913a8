"""A disk that is full, failing or read-only: every call of a turn that cannot be committed is answered
with a service error and leaves nothing, in memory or on disk; the daemons live on, and work again when
the disk does."""
import contextlib, threading, time

import pytest
from traffic import Caller, Ledger, Lost, Refused, body_of, mark_of

DEADLINE_S = 30
TROUBLES = ['ENOSPC write', 'EIO write sync truncate', 'EIO sync', 'EROFS write truncate open',
            'EDQUOT write truncate']


def refused(call, *args, **members):
    """The call must be answered, with a service error."""
    with pytest.raises(Refused) as answer:
        call(*args, **members)
    assert answer.value.status >= 500, answer.value
    return answer.value


def until_well(call):
    """Calls until it is not refused any more; the deadline is for a daemon that never recovers."""
    end = time.monotonic() + DEADLINE_S
    while True:
        try:
            return call()
        except Refused as answer:
            assert answer.status >= 500, answer
            assert time.monotonic() < end, f'refused for {DEADLINE_S} s: {answer}'


def attributes(caller, url):
    return caller.sqs('GetQueueAttributes', QueueUrl=url, AttributeNames=['All'])['Attributes']


def count(caller, url):
    return int(attributes(caller, url)['ApproximateNumberOfMessages'])


@pytest.mark.parametrize('trouble', TROUBLES)
def test_queued(make_plugged, trouble):
    toque = make_plugged(clock='manual').start()
    direct = Caller(toque.queue_ports[0])
    url = direct.create_queue('q')
    kept = [direct.send(url, body_of(n)) for n in range(5)]
    taken = direct.receive(url, count=1)[0]
    toque.fail(trouble)

    for n in range(100, 110):
        refused(direct.send, url, body_of(n))
    refused(direct.sqs, 'SendMessageBatch', QueueUrl=url,
            Entries=[{'Id': str(n), 'MessageBody': body_of(n)} for n in range(200, 210)])
    refused(direct.delete, url, taken['ReceiptHandle'])
    refused(direct.create_queue, 'other')
    refused(direct.sqs, 'SetQueueAttributes', QueueUrl=url, Attributes={'VisibilityTimeout': '1'})
    refused(direct.sqs, 'DeleteQueue', QueueUrl=url)
    refused(direct.receive, url, count=1)
    assert count(direct, url) == 4  # reading goes on, and knows of nothing that was refused
    assert attributes(direct, url)['VisibilityTimeout'] == '30'
    assert toque.queued.is_alive()
    assert toque.page('GET', '/health', door='queued')[1]['store'] == 'failing'

    toque.heal()
    until_well(lambda: direct.send(url, body_of(5)))
    assert toque.page('GET', '/health', door='queued')[1]['store'] == 'ok'
    for n in range(2):
        toque.advance(60, door='queued')
        assert sorted(map(mark_of, direct.drain(url))) == [0, 1, 2, 3, 4, 5]
        with pytest.raises(Refused) as answer:
            direct.send(url.replace('/q', '/other'), 'x')
        assert answer.value.status == 400
        toque.queued.kill()
        toque.queued.start()
        direct = Caller(toque.queue_ports[0])
    assert len(kept) == 5


def test_queued_under_load(make_plugged):
    """Trouble comes and goes while many callers send: acknowledged is there, refused is not."""
    toque = make_plugged(clock='manual').start()
    first = Caller(toque.queue_ports[0])
    url = first.create_queue('q')
    ledger, stop, failures = Ledger(), threading.Event(), []
    refusals, rest = [], [iter(range(n, 10**8, 8)) for n in range(8)]

    def work(marks):
        caller = Caller(toque.queue_ports[0])
        try:
            for mark in marks:
                if stop.is_set():
                    return
                ledger.tried.add(mark)
                try:
                    ledger.sent[mark] = caller.send(url, body_of(mark, 1000))
                except Refused as answer:
                    assert answer.status >= 500, answer
                    refusals.append(mark)
        except BaseException as e:  # noqa: B036
            failures.append(e)

    threads = [threading.Thread(target=work, args=(marks,)) for marks in rest]
    for t in threads:
        t.start()

    def wait_for(what):
        """Until 50 more calls were acknowledged, or refused."""
        begin, end = len(what), time.monotonic() + DEADLINE_S
        while len(what) < begin + 50:
            assert time.monotonic() < end and not failures, failures
            with contextlib.suppress(Refused):  # when it shares a turn that fails
                first.sqs('ListQueues')

    try:
        for trouble in [*TROUBLES, 'ENOSPC grow']:
            wait_for(ledger.sent)
            toque.fail(trouble)
            wait_for(refusals)
            toque.heal()
        wait_for(ledger.sent)
    finally:
        stop.set()
        for t in threads:
            t.join()
    assert not failures, failures
    ledger.check(first.drain(url), exact=True)
    toque.queued.kill()
    toque.queued.start()
    toque.advance(60, door='queued')
    ledger.check(Caller(toque.queue_ports[0]).drain(url), exact=True)


@pytest.mark.parametrize('trouble', TROUBLES)
def test_topicd(make_plugged, trouble):
    """topicd alone: what it stores itself, topics, subscriptions and the outbox."""
    toque = make_plugged(clock='manual').start()
    direct, front = Caller(toque.queue_ports[0]), Caller(toque.topic_port)
    url = direct.create_queue('q')
    topic = front.create_topic('t')
    front.subscribe(topic, 'q')
    toque.queued.kill()
    front.publish(topic, body_of(1))
    toque.fail(trouble)
    refused(front.create_topic, 'other')
    refused(front.subscribe, topic, 'elsewhere')
    refused(front.publish, topic, body_of(2))
    refused(front.sns, 'DeleteTopic', TopicArn=topic)
    assert 'other' not in front.sns('ListTopics')
    assert 'elsewhere' not in front.sns('ListSubscriptions')
    assert toque.topicd.is_alive()
    toque.heal()
    until_well(lambda: front.publish(topic, body_of(3)))
    toque.topicd.kill()
    toque.topicd.start()
    front = Caller(toque.topic_port)
    assert 'other' not in front.sns('ListTopics')
    assert 'elsewhere' not in front.sns('ListSubscriptions')
    toque.queued.start()
    toque.topicd.wait_line('queued is up')
    front.publish(topic, body_of(4))
    assert list(map(mark_of, Caller(toque.queue_ports[0]).drain(url))) == [1, 3, 4]


def test_a_publish_while_queueds_disk_is_full(make_plugged):
    """What topicd accepts arrives once; what it refuses does not."""
    toque = make_plugged(clock='manual').start()
    direct, front = Caller(toque.queue_ports[0]), Caller(toque.topic_port)
    url = direct.create_queue('q')
    topic = front.create_topic('t')
    front.subscribe(topic, 'q')
    ledger = Ledger()
    toque.fail('ENOSPC write truncate')

    def publish():
        caller = Caller(toque.topic_port)
        for mark in range(10):
            ledger.tried.add(mark)
            try:
                ledger.sent[mark] = caller.publish(topic, body_of(mark))
            except (Refused, Lost):
                pass

    publisher = threading.Thread(target=publish)
    publisher.start()
    refused(direct.send, url, body_of(77))
    refused(direct.send, url, body_of(78))
    toque.heal()
    publisher.join()
    ledger.tried.add(100)
    ledger.sent[100] = until_well(lambda: front.publish(topic, body_of(100)))
    bodies = []
    while body_of(100) not in bodies:  # the last over the link: what was accepted lies before it
        got = until_well(lambda: direct.receive(url, wait=20))
        assert got, 'an accepted publication does not arrive'
        bodies += [m['Body'] for m in got]
    ledger.check(bodies + direct.drain(url), exact=True)
