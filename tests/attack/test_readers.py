"""Clients that ask for much and read nothing: memory is bounded, others are served, and nothing that
they were promised is lost."""
import contextlib, json, struct, socket

import pytest

from hostile import DEADLINE_S, FULL, call, connect, health, memory_mib, wait_for

READERS = 200 if FULL else 20
BUDGET_MIB = 128 if FULL else 32
MIB = 1 << 20
RECEIVE = json.dumps({'QueueUrl': 'q', 'MaxNumberOfMessages': 10, 'VisibilityTimeout': 600}).encode()


def ask(s, n=1):
    s.sendall((b'POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: AmazonSQS.ReceiveMessage\r\n'
               b'Content-Length: %d\r\n\r\n%s' % (len(RECEIVE), RECEIVE)) * n)


@pytest.fixture
def full(make_toque):
    """A queue with more than all readers could hold; small budgets, short patience."""
    small = {'client_memory_max': f'{BUDGET_MIB}MiB', 'answer_timeout_s': 3}
    t = make_toque(queue_options=small, topic_options=small).start()
    t.sqs().create_queue(QueueName='q')
    body = 'x' * (MIB - 100)
    for n in range(READERS * 10 + 10):
        assert call(t.queue_ports[0], 'SendMessage', QueueUrl='q', MessageBody=body)[0] == 200
    return t


def served(port):
    """A small call is answered, while the others ask for much."""
    for _ in range(20):
        assert call(port, 'ListQueues', timeout=10)[0] == 200


@pytest.mark.parametrize('front', [False, True])
def test_many_that_do_not_read(full, front):
    port = full.topic_port if front else full.queue_ports[0]
    with contextlib.ExitStack() as held:
        readers = [held.enter_context(connect(port, window=4096)) for _ in range(READERS)]
        for s in readers:
            ask(s)
        served(port)
        for daemon in (full.queued, full.topicd):
            assert memory_mib(daemon)[1] < 2 * BUDGET_MIB + 60
        assert health(port)['client_bytes'] <= BUDGET_MIB * MIB
        # Behind the deadline those that do not read are gone, and their memory with them.
        wait_for(lambda: health(port)['client_bytes'] < MIB, 'the memory comes back')
    hidden = lambda: call(port, 'GetQueueAttributes', QueueUrl='q', AttributeNames=['All'])[1]['Attributes'][
        'ApproximateNumberOfMessagesNotVisible']
    # All but what a socket had room for to the end.
    wait_for(lambda: int(hidden()) <= READERS // 4, 'what they were given comes back')
    with connect(port) as s:  # whoever does read is served again
        ask(s)
        got = b''
        while b'\r\n\r\n' not in got:
            got += s.recv(65536)
        assert got.startswith(b'HTTP/1.1 200 ')


def ipc_call(number, text):
    payload = struct.pack('>I', 0x80000000 | number) + text
    return b'\1' + struct.pack('>Q', len(payload)) + payload


def test_one_ipc_client_with_many_calls(full):
    calls = b''.join(ipc_call(n, b'{"target":"AmazonSQS.ReceiveMessage","input":%s}' % RECEIVE)
                     for n in range(READERS * 3 // 4))
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(DEADLINE_S)
        s.connect(full.queued.options['ipc_url'].removeprefix('ipc://'))
        s.sendall(b'\0SP\0\0\x30\0\0' + calls)
        served(full.queue_ports[0])
        assert memory_mib(full.queued)[1] < 2 * BUDGET_MIB + 60
        wait_for(lambda: health(full.queue_ports[0])['client_bytes'] < MIB, 'it is cut off')


def test_bodies_that_never_end(make_toque):
    """Large bodies that stop before their end are held as far as the budget goes; others are told so."""
    small = {'client_memory_max': '16MiB'}
    t = make_toque(queue_options=small).start()
    port = t.queue_ports[0]
    with contextlib.ExitStack() as held:
        for _ in range(40):
            s = held.enter_context(connect(port))
            s.sendall(b'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n' + b'x' * 1000000)
        assert memory_mib(t.queued)[1] < 80
        assert health(port)['client_bytes'] <= 16 * MIB
        assert health(port)['requests_refused'] >= 20
    wait_for(lambda: health(port)['client_bytes'] < MIB, 'the memory comes back')
