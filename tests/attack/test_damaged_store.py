"""A store that decayed on its disk: the daemon starts or says why it does not, never aborts, never gives out a
body that was not sent, and goes on with everything that can be read."""
import http.client, json, random, shutil, sqlite3, subprocess

import pytest

from hostile import FULL, call, health, wait_for

PAGE = 4096
QUEUES = 4
MESSAGES = 60
ROUNDS = 400 if FULL else 12


def body(queue, n):
    return f'{queue}/{n}/' + 'abcdefghij' * (40 * (n % 7))


@pytest.fixture
def store(make_toque):
    """A store with queues of both kinds, and its daemon, stopped; all that is written stands in the database."""
    t = make_toque()
    t.queued.start()
    port = t.queue_ports[0]
    for q in range(QUEUES):
        fifo = {'FifoQueue': 'true', 'ContentBasedDeduplication': 'true'} if q == 3 else {}
        call(port, 'CreateQueue', QueueName=name(q), Attributes=fifo)
        for n in range(MESSAGES):
            group = {'MessageGroupId': str(n % 5)} if q == 3 else {}
            assert call(port, 'SendMessage', QueueUrl=name(q), MessageBody=body(q, n), **group)[0] == 200
    t.queued.stop()
    return t


def name(q):
    return f'q{q}.fifo' if q == 3 else f'q{q}'


def harms(size):
    """What is done to the file: each page once, or bytes here and there."""
    rng = random.Random(size)
    pages = size // PAGE
    for page in sorted(rng.sample(range(pages), min(pages, ROUNDS))):
        yield f'page {page} is noise', [(page * PAGE, rng.randbytes(PAGE))]
        yield f'page {page} is zero', [(page * PAGE, bytes(PAGE))]
    for n in range(ROUNDS):
        yield f'{n} bytes', [(rng.randrange(size), rng.randbytes(1)) for _ in range(1 + n * 3)]


def everything(port):
    """Asks for all there is, in every way; returns the bodies that came."""
    got = []
    for q in range(QUEUES):
        for _ in range(MESSAGES):
            status, answer = call(port, 'ReceiveMessage', QueueUrl=name(q), MaxNumberOfMessages=10,
                                  VisibilityTimeout=600)
            if status != 200 or not answer.get('Messages'):
                break
            for m in answer['Messages']:
                assert m['Body'] in {body(q, n) for n in range(MESSAGES)}, m['Body'][:100]
                got.append(m['Body'])
                call(port, 'DeleteMessage', QueueUrl=name(q), ReceiptHandle=m['ReceiptHandle'])
        call(port, 'GetQueueAttributes', QueueUrl=name(q), AttributeNames=['All'])
    call(port, 'ListQueues')
    return got


def test_pages_and_bytes(store):
    file = store.folder / 'queued' / 'queued.db'
    sound = file.read_bytes()
    kept = []
    for what, changes in harms(len(sound)):
        shutil.rmtree(file.parent)
        file.parent.mkdir()
        harmed = bytearray(sound)
        for at, data in changes:
            harmed[at:at + len(data)] = data
        file.write_bytes(harmed)
        store.queued.start(ready=False)
        try:
            store.queued.wait_line(' ready')
        except AssertionError:
            assert store.queued.wait_end() == 1, f'{what}: {store.queued.tail()}'
            continue
        kept.append(len(everything(store.queue_ports[0])))
        assert store.queued.is_alive(), f'{what}: {store.queued.tail()}'
        store.queued.kill()
    # Most harms leave most of it.
    assert sum(kept) > len(kept) * QUEUES * MESSAGES / 2
    assert len(kept) > ROUNDS


def test_other_queues_go_on(store):
    """One page with rows of messages is damaged: all sends and receives of a queue that has none on it work."""
    file = store.folder / 'queued' / 'queued.db'
    harmed = bytearray(file.read_bytes())
    # A leaf page of the table of bodies, which are the longest rows: somewhere in the first queue's.
    at = harmed.find(body(0, 27).encode()[:12])
    page = at // PAGE * PAGE
    harmed[page:page + 100] = bytes(100)
    file.write_bytes(harmed)
    store.queued.start()
    port = store.queue_ports[0]
    call(port, 'CreateQueue', QueueName='other')
    sent, got = [], []
    for n in range(100):
        if call(port, 'SendMessage', QueueUrl='other', MessageBody=str(n))[0] == 200:
            sent.append(str(n))
        for m in call(port, 'ReceiveMessage', QueueUrl='other')[1].get('Messages', []):
            if call(port, 'DeleteMessage', QueueUrl='other', ReceiptHandle=m['ReceiptHandle'])[0] == 200:
                got.append(m['Body'])
        call(port, 'ReceiveMessage', QueueUrl='q0', MaxNumberOfMessages=10)
    # A turn that met the damage is lost, once for each row on it.
    assert len(sent) >= 95 and set(got) <= set(sent) and len(got) >= 85
    assert health(port)['damaged'] > 0
    told = [line for line in store.queued.log if 'cannot be read' in line]
    assert len(told) <= 2 * MESSAGES


def test_a_flipped_byte_of_a_body(store):
    file = store.folder / 'queued' / 'queued.db'
    harmed = bytearray(file.read_bytes())
    at = harmed.find(body(1, 8).encode()[:60])
    harmed[at + 30] ^= 1
    file.write_bytes(harmed)
    store.queued.start()
    port = store.queue_ports[0]
    got = everything(port)
    assert body(1, 8) not in got and len(got) == QUEUES * MESSAGES - 1
    assert health(port)['damaged'] == 1
    assert sum('cannot be read' in line for line in store.queued.log) == 1


def look(t, *how):
    """What the offline check says, and its exit status."""
    program = t.queued.command()[0]
    done = subprocess.run([program, *how, f'--data-dir={t.folder / "queued"}'], capture_output=True, text=True,
                          timeout=60)
    return done.returncode, done.stdout + done.stderr


def test_check_and_salvage(store):
    status, text = look(store, '--check')
    assert status == 0 and 'the store is sound' in text and f'messages {QUEUES * MESSAGES}' in text
    file = store.folder / 'queued' / 'queued.db'
    harmed = bytearray(file.read_bytes())
    at = harmed.find(body(1, 8).encode()[:60])
    harmed[at + 30] ^= 1
    at = harmed.find(body(2, 27).encode()[:12]) // PAGE * PAGE
    harmed[at:at + PAGE] = bytes(PAGE)
    file.write_bytes(harmed)
    status, text = look(store, '--check')
    assert status == 1 and 'damaged: ' in text and 'its body' in text
    copy = store.folder / 'copy'
    status, text = look(store, f'--salvage={copy}')
    assert status == 0, text
    shutil.rmtree(file.parent)
    copy.rename(file.parent)
    assert look(store, '--check')[0] == 0
    store.queued.start()
    got = everything(store.queue_ports[0])
    assert QUEUES * MESSAGES - 40 < len(got) < QUEUES * MESSAGES
    assert health(store.queue_ports[0])['damaged'] == 0
    assert look(store, '--check')[0] == 1  # while a daemon runs


def test_salvage_keeps_message_ids(store):
    copy = store.folder / 'copy'
    port = store.queue_ports[0]
    store.queued.start()
    ids = lambda: [m['MessageId'] for m in call(port, 'ReceiveMessage', QueueUrl='q0', MaxNumberOfMessages=10,
                                                VisibilityTimeout=0)[1]['Messages']]
    before = ids()
    store.queued.stop()
    assert look(store, f'--salvage={copy}')[0] == 0
    shutil.rmtree(store.folder / 'queued')
    copy.rename(store.folder / 'queued')
    store.queued.start()
    assert ids() == before


def varint(n):
    """As SQLite writes a number of more than 56 bits."""
    assert n >> 56
    return bytes(0x80 | n >> shift & 0x7f for shift in range(57, 7, -7)) + bytes([n & 0xff])


def test_a_number_that_comes_twice(store):
    """One changed row number: two messages, and two bodies, with one number."""
    file = store.folder / 'queued' / 'queued.db'
    with sqlite3.connect(file) as db:
        numbers = [n for (n,) in db.execute('SELECT seq FROM message ORDER BY seq')]
        db.execute('PRAGMA wal_checkpoint(TRUNCATE)')
    db.close()
    sound = file.read_bytes()
    for at in 5, 100, len(numbers) - 1:
        harmed = sound.replace(varint(numbers[at]), varint(numbers[at - 1]))
        assert harmed != sound
        for part in file.parent.iterdir():
            part.unlink()
        file.write_bytes(harmed)
        store.queued.start()
        assert len(everything(store.queue_ports[0])) >= QUEUES * MESSAGES - 4
        assert health(store.queue_ports[0])['damaged'] > 0
        store.queued.stop()


def test_rows_that_say_what_cannot_be(store):
    file = store.folder / 'queued' / 'queued.db'
    top = 2 ** 63 - 1
    with sqlite3.connect(file) as db:
        for seq in 0, -1, -top, top:
            db.execute('INSERT INTO message VALUES(?, 1, 0, 5, 0, 0, 0, 0, NULL)', (seq,))
            db.execute('INSERT INTO queue VALUES(?, ?, ?, ?, ?, 5, 5)',
                       (seq, '000000000000', 'us-east-1', f'x{seq}', '{'))
        for n, row in enumerate([(0, 0, 5), (-1, -1, -1), ('text', b'blob', 'x'), (None, None, None),
                                 (top, top, top)]):
            db.execute('INSERT INTO message(seq, queue, body, sent_ms, due_ms, first_ms, receives, flags, extra) '
                       'VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)', (1000 + n, *row, 'x', -5, top, -1, b'\1\xff'))
        for n, name in enumerate(['', 'a/b', 'x' * 5000, 'n\0m', None, 7, b'\xff']):
            db.execute('INSERT INTO queue VALUES(?, ?, ?, ?, NULL, NULL, ?)',
                       (2000 + n, '000000000000', 'us-east-1', name, top))
        db.execute("INSERT INTO queue VALUES(?, '000000000000', 'us-east-1', 'q0', '{}', 5, 5)", (top - 1,))
        db.execute("INSERT INTO task VALUES(0, 0, '')")
        db.execute("INSERT INTO task VALUES(5, 0, '{')")
        db.execute("INSERT INTO dedup VALUES(0, x'00', -5)")
        db.execute("INSERT INTO dedup VALUES(5, zeroblob(16), 5)")
    db.close()
    store.queued.start()
    assert len(everything(store.queue_ports[0])) == QUEUES * MESSAGES
    assert health(store.queue_ports[0])['damaged'] > 10
    store.queued.stop()
    store.queued.start()
    assert call(store.queue_ports[0], 'SendMessage', QueueUrl='q0', MessageBody='goes on')[0] == 200


def peek(port, queue):
    """The messages that the page of the daemon shows."""
    c = http.client.HTTPConnection('127.0.0.1', port, timeout=60)
    c.request('GET', f'/_toque/queues/{queue}/messages')
    answer = json.loads(c.getresponse().read())
    c.close()
    return answer['Messages']


def test_check_and_salvage_a_store_with_everything(make_toque):
    """Dead letters, histories, a move task, deduplication: a sound store is called sound, and its copy has them."""
    t = make_toque()
    t.queued.start()
    port = t.queue_ports[0]
    arn = 'arn:aws:sqs:us-east-1:000000000000:'
    call(port, 'CreateQueue', QueueName='dead')
    call(port, 'CreateQueue', QueueName='work', Attributes={
        'RedrivePolicy': json.dumps({'deadLetterTargetArn': arn + 'dead', 'maxReceiveCount': 2})})
    call(port, 'CreateQueue', QueueName='f.fifo', Attributes={'FifoQueue': 'true'})
    receive = lambda: call(port, 'ReceiveMessage', QueueUrl='work', MaxNumberOfMessages=10, VisibilityTimeout=0)
    send = lambda: call(port, 'SendMessage', QueueUrl='f.fifo', MessageBody='m', MessageGroupId='g',
                        MessageDeduplicationId='d')[0]
    for n in range(5):
        call(port, 'SendMessage', QueueUrl='work', MessageBody=f'buried {n}')
    wait_for(lambda: receive() and len(peek(port, 'dead')) == 5, 'all are dead letters')
    for n in range(3):
        call(port, 'SendMessage', QueueUrl='work', MessageBody=f'received {n}')
    wait_for(lambda: receive() and all('Deliveries' in m for m in peek(port, 'work')), 'each has a history')
    assert send() == 200
    assert call(port, 'StartMessageMoveTask', SourceArn=arn + 'dead', MaxNumberOfMessagesPerSecond=1)[0] == 200
    t.queued.stop()
    with sqlite3.connect(t.folder / 'queued' / 'queued.db') as db:
        kept = [db.execute(f'SELECT count(*) FROM {table}').fetchone()[0]
                for table in ('queue', 'message', 'history', 'task', 'dedup')]
    db.close()
    assert min(kept) > 0 and kept[2] >= 3
    status, text = look(t, '--check')
    assert status == 0 and 'the store is sound' in text and 'messages 9, move tasks 1' in text, text
    status, text = look(t, f'--salvage={t.folder / "copy"}')
    assert status == 0, text
    with sqlite3.connect(t.folder / 'copy' / 'queued.db') as db:
        assert kept == [db.execute(f'SELECT count(*) FROM {table}').fetchone()[0]
                        for table in ('queue', 'message', 'history', 'task', 'dedup')]
    db.close()
    shutil.rmtree(t.folder / 'queued')
    (t.folder / 'copy').rename(t.folder / 'queued')
    assert look(t, '--check')[0] == 0
    t.queued.start()
    # the task goes on: what it moves meanwhile is seen in one or in both
    shown = {m['Body']: m for queue in ('dead', 'work') for m in peek(port, queue)}
    assert set(shown) == {f'buried {n}' for n in range(5)} | {f'received {n}' for n in range(3)}
    assert all('Deliveries' in shown[f'received {n}'] for n in range(3))
    assert send() == 200 and len(peek(port, 'f.fifo')) == 1
    assert call(port, 'ListMessageMoveTasks', SourceArn=arn + 'dead')[1]['Results'][0]['Status'] in (
        'RUNNING', 'COMPLETED')
    assert health(port)['damaged'] == 0


def test_check_and_salvage_without_a_store(make_toque):
    """What is no store is not called sound and does not become one; a store is not copied into another."""
    t = make_toque()
    folder = t.folder / 'queued'
    folder.mkdir(exist_ok=True)
    copy = t.folder / 'copy'
    for how in '--check', f'--salvage={copy}':
        status, text = look(t, how)
        assert status == 1 and f'there is no store in {folder}' in text, text
    assert list(folder.iterdir()) == [] and not copy.exists()
    (folder / 'queued.db').write_bytes(b'x')
    status, text = look(t, '--check')
    assert status == 1 and 'has only 1 bytes' in text, text
    assert [f.name for f in folder.iterdir()] == ['queued.db'] and (folder / 'queued.db').read_bytes() == b'x'
    (folder / 'queued.db').unlink()
    t.queued.start()
    t.queued.stop()
    assert look(t, f'--salvage={copy}')[0] == 0
    status, text = look(t, f'--salvage={copy}')
    assert status == 1 and f'there is a store in {copy} already' in text, text


def test_check_after_other_options(store):
    done = subprocess.run([store.queued.command()[0], f'--data-dir={store.folder / "queued"}', '--check'],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and 'the store is sound' in done.stdout, done.stdout + done.stderr
