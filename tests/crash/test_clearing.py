"""Death in the midst of clearing away, with the process alone gone and with all power: a queue that was
deleted or purged stays so, a topic that was deleted stays so with its subscriptions, nothing else goes,
and what was left is cleared away after the restart, to the last row."""
import contextlib, http.client, sqlite3, time

from traffic import ACCOUNT, REGION, Caller, Lost, body_of, mark_of

CUTS = ['death', 'none', 'random']
STEPS = range(0, 24, 2)
DEADLINE_S = 30


def rows(toque, door, table):
    with contextlib.closing(sqlite3.connect(toque.folder / door / f'{door}.db')) as db:
        return db.execute(f'SELECT count(*) FROM {table}').fetchone()[0]


def until_clear(toque, door):
    end = time.monotonic() + DEADLINE_S
    while toque.page('GET', '/health', door=door)[1]['background_jobs']:
        assert time.monotonic() < end, 'it is never done'


def fill(caller, urls, first, count):
    """Messages of one queue between those of the others."""
    for n in range(first, first + count, 10):
        for url in urls:
            caller.sqs('SendMessageBatch', QueueUrl=url, Entries=[
                {'Id': str(m), 'MessageBody': body_of(m, 200 * (m % 7))} for m in range(n, n + 10)])


def is_clear(toque, door):
    """False: it died."""
    try:
        until_clear(toque, door)
        return True
    except (OSError, http.client.HTTPException):
        return False


def end(toque, daemon, how, seed):
    daemon.kill()
    toque.live_on()
    if how != 'death':
        toque.power_cut(seed=seed, keep=how)


def answered(call):
    try:
        call()
        return True
    except Lost:
        return False


def test_queues(make_plugged):
    toque = make_plugged(journal=True, clock='manual')
    toque.queued.start()
    kept, deaths = 0, 0
    for step in STEPS:
        caller = Caller(toque.queue_ports[0])
        gone, purged, stays = (caller.create_queue(name) for name in (f'gone{step}', f'purged{step}', 'stays'))
        fill(caller, (gone, stays, purged), kept, 150)
        kept += 150
        toque.die_after(step)
        is_deleted = answered(lambda: caller.sqs('DeleteQueue', QueueUrl=gone))
        is_purged = answered(lambda: caller.sqs('PurgeQueue', QueueUrl=purged))
        deaths += not (is_deleted and is_purged and is_clear(toque, 'queued'))
        end(toque, toque.queued, CUTS[step // 2 % 3], step)
        toque.queued.start()
        caller = Caller(toque.queue_ports[0])
        urls = caller.sqs('ListQueues')['QueueUrls']
        if is_deleted:
            assert not [u for u in urls if u.endswith(f'/gone{step}')]
        if is_purged:
            assert caller.receive(purged) == []
        # Whatever became of the two calls that were not answered: now they are.
        if [u for u in urls if u.endswith(f'/gone{step}')]:
            caller.sqs('DeleteQueue', QueueUrl=gone)
        caller.sqs('DeleteQueue', QueueUrl=purged)
        until_clear(toque, 'queued')
        toque.advance(600, door='queued')
        assert sorted(map(mark_of, caller.drain(stays))) == list(range(kept))
        toque.queued.stop()
        assert rows(toque, 'queued', 'message') == rows(toque, 'queued', 'body') == kept
        toque.queued.start()
    assert deaths >= 2


def test_topics(make_plugged):
    toque = make_plugged(journal=True, clock='manual')
    toque.topicd.start()
    deaths = 0
    caller = Caller(toque.topic_port)
    stays = caller.create_topic('stays')
    caller.subscribe(stays, 'stays')
    for step in STEPS:
        caller = Caller(toque.topic_port)
        topic = caller.create_topic(f'gone{step}')
        for n in range(100):
            caller.subscribe(topic, f'q{n}')
        toque.die_after(step)
        is_deleted = answered(lambda: caller.sns('DeleteTopic', TopicArn=topic))
        deaths += not (is_deleted and is_clear(toque, 'topicd'))
        end(toque, toque.topicd, CUTS[step // 2 % 3], step)
        toque.topicd.start()
        caller = Caller(toque.topic_port)
        if is_deleted:
            assert topic not in caller.sns('ListTopics')
            assert f'{topic}:' not in caller.sns('ListSubscriptions')
        caller.sns('DeleteTopic', TopicArn=topic)
        until_clear(toque, 'topicd')
        listed = caller.sns('ListSubscriptions')
        assert listed.count('<SubscriptionArn>') == 1 and f'{REGION}:{ACCOUNT}:stays:' in listed
        toque.topicd.stop()
        assert rows(toque, 'topicd', 'subscription') == 1
        toque.topicd.start()
    assert deaths >= 2
