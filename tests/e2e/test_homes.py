"""Queueds are known by the names of their stores, and nothing that was published is guessed away: unknown
queues, moved and copied stores, stores that are older than what was sent from them, hostile queueds."""
import contextlib, hmac, os, random, shutil, socket, struct, threading

import pytest

from test_link import REGION_ACCOUNT, TOPIC, drain


def make_queue(toque, name, queued):
    """At that queued's own endpoint."""
    sqs = toque.client('sqs', url=f'http://127.0.0.1:{toque.queue_ports[queued]}')
    sqs.create_queue(QueueName=name)
    return sqs


def subscribe(toque, name):
    toque.sns().subscribe(TopicArn=TOPIC, Protocol='sqs', Endpoint=f'arn:aws:sqs:{REGION_ACCOUNT}:{name}',
                          Attributes={'RawMessageDelivery': 'true'})


def health(toque):
    status, page = toque.page('GET', '/health')
    assert status == 200
    return page


def bodies(first, end):
    return [f'{n:03}' for n in range(first, end)]


def publish(toque, first, end):
    sns = toque.sns()
    for n in range(first, end):
        sns.publish(TopicArn=TOPIC, Message=f'{n:03}')


# --- queues of which topicd has not heard ----------------------------------------------------------

def test_queues_made_while_topicd_was_away(make_toque):
    toque = make_toque(queueds=3).start()
    toque.sns().create_topic(Name='t')
    toque.topicd.stop()
    names = [f'q{n:02}' for n in range(30)]
    for name in names:
        own = make_queue(toque, name, 1)
    toque.queueds[1].kill()
    toque.topicd.start()
    for name in names:
        subscribe(toque, name)
    publish(toque, 0, 10)
    toque.topicd.kill()
    toque.topicd.start()
    publish(toque, 10, 20)
    assert health(toque)['failed'] == 0
    toque.queueds[1].start()
    toque.topicd.wait_line('queued is up url=' + toque.link(1))
    publish(toque, 20, 30)
    for name in names:
        assert drain(own, name, 30) == bodies(0, 30)
    assert health(toque)['held_frames'] == 0
    toque.stop()


def test_queues_made_a_moment_ago(make_toque):
    toque = make_toque(queueds=3).start()
    sns = toque.sns()
    owners = {}
    for n in range(120):
        name = f'q{n:03}'
        topic = sns.create_topic(Name=name)['TopicArn']
        owners[name] = make_queue(toque, name, n % 3)
        sns.subscribe(TopicArn=topic, Protocol='sqs', Endpoint=f'arn:aws:sqs:{REGION_ACCOUNT}:{name}',
                      Attributes={'RawMessageDelivery': 'true'})
        sns.publish(TopicArn=topic, Message=name)
    for name, own in owners.items():
        assert drain(own, name, 1) == [name]
    assert health(toque)['failed'] == 0
    toque.stop()


@pytest.mark.parametrize('queueds', [1, 3])
def test_a_queue_that_nobody_has(make_toque, queueds):
    toque = make_toque(queueds=queueds).start()
    toque.sns().create_topic(Name='t')
    own = make_queue(toque, 'there', 0)
    subscribe(toque, 'there')
    subscribe(toque, 'nowhere')
    publish(toque, 0, 5)
    assert drain(own, 'there', 5) == bodies(0, 5)
    while health(toque)['failed'] < 5:
        pass
    toque.topicd.wait_line('a delivery failed: no queued has the queue')
    assert health(toque)['unknown_queue'] == 5
    own.delete_queue(QueueUrl='there')
    publish(toque, 5, 6)
    while health(toque)['failed'] < 7:
        pass
    assert health(toque)['held_frames'] == 0
    toque.stop()


def test_a_queue_that_is_somewhere_else_now(make_toque):
    toque = make_toque(queueds=2, queue_options={'strict_waits': 'false'}).start()
    toque.sns().create_topic(Name='t')
    make_queue(toque, 'q', 0)
    subscribe(toque, 'q')
    publish(toque, 0, 3)
    toque.topicd.stop()
    toque.client('sqs').delete_queue(QueueUrl='q')
    own = make_queue(toque, 'q', 1)
    toque.queueds[0].kill()     # so topicd does not hear that it has the queue no more
    toque.queueds[1].kill()
    toque.topicd.start()
    publish(toque, 3, 6)        # for the first one, as far as is known
    toque.queueds[0].start()
    toque.topicd.wait_line('queued is up')
    while health(toque)['held_frames'] == 0:
        pass
    toque.queueds[1].start()
    toque.topicd.wait_line('queued is up')
    publish(toque, 6, 8)
    assert drain(own, 'q', 5) == bodies(3, 8)
    assert health(toque)['failed'] == 0
    toque.stop()


# --- stores that move, and others in their place ---------------------------------------------------

@pytest.fixture
def linked(toque):
    toque.sns().create_topic(Name='t')
    make_queue(toque, 'q', 0)
    subscribe(toque, 'q')
    return toque


def test_moved_data_and_another_url(linked):
    publish(linked, 0, 3)
    linked.queued.kill()
    publish(linked, 3, 6)
    moved = linked.folder / 'moved'
    (linked.folder / 'queued').rename(moved)
    linked.queued.options['data_dir'] = str(moved)
    linked.queued.options['link_url'] = linked.topicd.options['queued'] = f'ipc://{linked.folder}/moved.link'
    linked.topicd.stop()
    linked.topicd.start()
    assert [o['outbox_frames'] for o in health(linked)['orphans']] == [3]
    publish(linked, 6, 8)
    linked.queued.start()
    linked.topicd.wait_line('queued is up')
    publish(linked, 8, 10)
    assert drain(linked.sqs(), 'q', 10) == bodies(0, 10)
    assert health(linked)['orphans'] == []


def test_another_store_in_its_place_and_back(linked):
    publish(linked, 0, 3)
    linked.queued.kill()
    publish(linked, 3, 6)
    own, kept = linked.folder / 'queued', linked.folder / 'kept'
    own.rename(kept)
    linked.queued.start()
    linked.topicd.wait_line('queued is up')
    assert [o['outbox_frames'] for o in health(linked)['orphans']] == [3]
    linked.sqs().create_queue(QueueName='q')
    publish(linked, 6, 8)
    assert drain(linked.sqs(), 'q', 2) == bodies(6, 8)
    linked.topicd.stop()
    linked.topicd.start()
    linked.topicd.wait_line('queued is up')
    assert any('no link leads to the queued' in line for line in linked.topicd.log)
    assert [o['outbox_frames'] for o in health(linked)['orphans']] == [3]
    linked.queued.kill()
    shutil.rmtree(own)
    kept.rename(own)
    linked.queued.start()
    linked.topicd.wait_line('queued is up')
    publish(linked, 8, 9)
    assert drain(linked.sqs(), 'q', 7) == bodies(0, 6) + bodies(8, 9)


def test_a_copied_queued_is_not_used(make_toque):
    toque = make_toque(queueds=2).start()
    toque.sns().create_topic(Name='t')
    own = make_queue(toque, 'q', 0)
    subscribe(toque, 'q')
    for d in toque.queueds:
        d.stop()
    shutil.rmtree(toque.folder / 'queued2')
    shutil.copytree(toque.folder / 'queued', toque.folder / 'queued2')
    toque.queueds[0].start()
    toque.topicd.wait_line('queued is up')
    toque.queueds[1].start()
    toque.topicd.wait_line('it is a copy')
    publish(toque, 0, 5)
    assert drain(own, 'q', 5) == bodies(0, 5)
    assert [q['state'] for q in health(toque)['queueds']] == ['live', 'copy']
    toque.stop()


# --- topicd's store, copied and restored -----------------------------------------------------------

def beside(make_toque, toque, folder):
    """A topicd of its own on a copy of the other one's store, for the same queued."""
    copy = make_toque()
    copy.queueds = toque.queueds
    shutil.rmtree(copy.folder / 'topicd')
    shutil.copytree(folder, copy.folder / 'topicd')
    copy.topicd.options['queued'] = toque.topicd.options['queued']
    return copy


def test_a_copy_runs_beside_the_original(linked, make_toque):
    """The queued takes one of them at a time; both are answered, and all arrives, once."""
    publish(linked, 0, 20)
    linked.queued.kill()
    publish(linked, 20, 30)
    copy = beside(make_toque, linked, linked.folder / 'topicd')
    copy.topicd.start()
    publish(copy, 100, 160)
    publish(linked, 30, 60)
    linked.queued.start()
    publish(linked, 60, 90)
    publish(copy, 160, 190)
    linked.topicd.stop()
    while health(copy)['queueds'][0]['state'] != 'live' or health(copy)['queueds'][0]['outbox_frames']:
        pass
    publish(copy, 190, 200)
    copy.topicd.stop()
    linked.topicd.start()
    while health(linked)['queueds'][0]['state'] != 'live' or health(linked)['queueds'][0]['outbox_frames']:
        pass
    got = drain(linked.sqs(), 'q', 190)
    assert sorted(got) == bodies(0, 90) + bodies(100, 200)
    assert [b for b in got if b < '100'] == bodies(0, 90)
    assert [b for b in got if b >= '100'] == bodies(100, 200)


def test_restored_from_an_older_copy(linked):
    """Its clock is where it was when the copy was made; what waited then was delivered since."""
    folder, copy = linked.folder / 'topicd', linked.folder / 'copy'
    publish(linked, 0, 5)
    linked.queued.kill()
    publish(linked, 5, 10)
    linked.topicd.kill()
    shutil.copytree(folder, copy)
    linked.topicd.start()
    linked.queued.start()
    linked.topicd.wait_line('queued is up')
    publish(linked, 10, 40)
    for first in 100, 200:
        linked.topicd.kill()
        shutil.rmtree(folder)
        shutil.copytree(copy, folder)
        linked.topicd.start()
        publish(linked, first, first + 5)
        linked.topicd.wait_line('queued is up')
        publish(linked, first + 5, first + 10)
    assert drain(linked.sqs(), 'q', 60) == bodies(0, 40) + bodies(100, 110) + bodies(200, 210)


# --- hostile queueds --------------------------------------------------------------------------------

def frame(kind, body):
    return struct.pack('<I', 4 + len(body)) + bytes([2, kind, 0, 0]) + body


def text(s):
    return struct.pack('<I', len(s)) + s


HELLO, WELCOME, QUEUES, DELIVER, ACK, ANSWER, CLOCK, REJECTED, SYNC = 1, 2, 3, 4, 5, 7, 9, 11, 12
MOST = 2**64 - 1
NAME = b'00000000-0000-4000-8000-00000000000f'


def welcome(session, name=NAME):
    return frame(WELCOME, text(name) + text(b'x' * 5) + struct.pack('<IQ', session, 0))


def hostile(session):
    """What a queued may say to a HELLO, one conversation an item."""
    yield frame(WELCOME, text(NAME) + text(b'1') + struct.pack('<IQQ', session, 2**63 - 1, 0))  # as version 1
    yield welcome(session, b'\xff' * 36)
    yield welcome(session, b'')
    yield frame(WELCOME, text(NAME) + text(b'1') + struct.pack('<IQ', session, MOST))
    for kind, body in [(ACK, struct.pack('<IQ', session, MOST)), (ACK, struct.pack('<IQ', session, 2**63 - 1)),
                       (REJECTED, struct.pack('<IQIII', session, 1, 1, 7, 7)),
                       (REJECTED, struct.pack('<IQI', session, 0, 2**32 - 1)),
                       (SYNC, struct.pack('<Q', MOST)), (CLOCK, struct.pack('<Q', 2**63 - 1)),
                       (QUEUES, struct.pack('<IIII', 3, 1, 0, 8) + text(b'\xff\xfe\xfd\xfc')),
                       (QUEUES, struct.pack('<IIII', 3, 2**32 - 1, 2**32 - 1, 2**32 - 1)),
                       (ANSWER, struct.pack('<QIB', 1, 200, 0) + text(b'') * 3), (DELIVER, b''), (99, b'')]:
        yield welcome(session) + frame(kind, body)
    yield struct.pack('<I', 2**32 - 1)
    chance = random.Random(session)
    for _ in range(20):
        data = bytearray(welcome(session) + frame(ACK, struct.pack('<IQ', session, 1)))
        for _ in range(3):
            data[chance.randrange(4, len(data))] = chance.randrange(256)
        yield bytes(data)


def receive(pipe, size):
    got = b''
    while len(got) < size:
        more = pipe.recv(size - len(got))
        assert more, f'the pipe ended after {got!r}'
        got += more
    return got


def greet(pipe):
    """The listener's part of the greeting of a link without a key."""
    head, nonce = b'toquelk\1', bytes(32)
    pipe.sendall(head + nonce)
    response = receive(pipe, len(head) + 64)
    assert response.startswith(head)
    said = head + nonce + response[len(head):len(head) + 32]
    pipe.sendall(hmac.digest(b'', b'listener' + said, 'sha256'))


def test_hostile_queueds(linked):
    """Nothing that one says stops topicd, or takes away what was published."""
    [real] = [q['instance'] for q in health(linked)['queueds']]
    linked.queued.stop()
    path = linked.topicd.options['queued'].removeprefix('ipc://')
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(path)
        door.listen(8)
        door.settimeout(30)
        for n in range(len(list(hostile(1)))):
            pipe, _ = door.accept()
            with pipe:
                pipe.settimeout(30)
                greet(pipe)
                hello = receive(pipe, 4)
                hello += receive(pipe, struct.unpack('<I', hello)[0])
                assert hello[5] == HELLO
                at = 8 + 4 + 36
                at += 4 + struct.unpack_from('<I', hello, at)[0]
                session = struct.unpack_from('<I', hello, at)[0]
                pipe.sendall(list(hostile(session))[n])
                if n % 4 == 0:
                    publish(linked, n // 4, n // 4 + 1)
    os.unlink(path)
    published = (len(list(hostile(1))) + 3) // 4
    assert linked.topicd.is_alive()
    linked.queued.start()
    linked.topicd.wait_line(f'queued is up url=ipc://{path} instance={real}')
    publish(linked, published, published + 2)
    waiting = {o['instance']: o['outbox_frames'] for o in health(linked)['orphans']}
    got = drain(linked.sqs(), 'q', published + 2 - waiting.get(NAME.decode(), 0))
    assert got == sorted(got)
