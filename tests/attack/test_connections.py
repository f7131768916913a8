"""Connections that die, idle, drip or flood: they hold nothing for long and keep nobody out."""
import contextlib, resource, socket, struct, time

import pytest

from hostile import FULL, call, connect, descriptors, health, until_closed, wait_for

SLOTS = 4096 if FULL else 256
DYING = 5000 if FULL else 1000
PARTS = [b'', b'P', b'POST / HTTP/1.1\r\nHost: x\r\nContent-Le', b'POST / HTTP/1.1\r\nHost: x\r\n'
         b'Content-Length: 100\r\n\r\n{"Queue', b'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked'
         b'\r\n\r\n5\r\nab']
HARD = struct.pack('ii', 1, 0)


@pytest.fixture(autouse=True)
def many_files():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 16384), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture
def ports(make_toque):
    """Both daemons with few slots; a queue to ask for."""
    few = {'connections_max': SLOTS, 'request_timeout_s': 600, 'idle_timeout_s': 600}
    t = make_toque(topic_options=few, queue_options=few).start()
    t.sqs().create_queue(QueueName='q')
    return t


def both(t):
    return [(t.queued, t.queue_ports[0]), (t.topicd, t.topic_port)]


def test_clients_that_die_in_mid_request(ports):
    """No slot stays taken, with a FIN or with a reset, whatever had come by then."""
    for daemon, port in both(ports):
        before = descriptors(daemon)
        for n in range(DYING):
            s = connect(port)
            s.sendall(PARTS[n % len(PARTS)])
            if n % 3 == 0:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, HARD)
            s.close()
        assert call(port, 'ListQueues')[0] == 200
        wait_for(lambda: health(port)['connections'] == 1, 'all slots are free')
        wait_for(lambda: descriptors(daemon) <= before + 2, 'all descriptors are free')


@pytest.mark.parametrize('says', [b'', b'POST / HTTP/1.1\r\nHost: x\r\nX-Drip: '])
def test_slots_full_of_idle_or_dripping_clients(ports, says):
    """Newcomers are let in at once; who is being served is not touched."""
    for _, port in both(ports):
        with contextlib.ExitStack() as held:
            poll = held.enter_context(connect(port))
            body = b'{"QueueUrl":"q","WaitTimeSeconds":20}'
            poll.sendall(b'POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: AmazonSQS.ReceiveMessage\r\n'
                         b'Content-Length: %d\r\n\r\n%s' % (len(body), body))
            taken = []
            for n in range(SLOTS + 10):
                taken.append(held.enter_context(connect(port)))
                taken[-1].sendall(says)
            for n in range(50):
                for s in taken[-20:]:
                    with contextlib.suppress(OSError):
                        s.send(b'x' if says else b'')
                began = time.monotonic()
                assert call(port, 'ListQueues')[0] == 200
                assert time.monotonic() - began < 5
            figures = health(port)
            assert figures['connections'] <= SLOTS
            assert figures['connections_evicted'] >= 10
            call(ports.queue_ports[0], 'SendMessage', QueueUrl='q', MessageBody='for the poll')
            got = b''
            while b'for the poll' not in got:
                more = poll.recv(65536)
                assert more, got
                got += more
            receipt = got.split(b'"ReceiptHandle":"')[1].split(b'"')[0].decode()
            call(port, 'DeleteMessage', QueueUrl='q', ReceiptHandle=receipt)


def test_a_request_has_a_deadline(make_toque):
    """However steadily it drips."""
    short = {'request_timeout_s': 1}
    t = make_toque(queue_options=short, topic_options=short).start()
    for port in (t.queue_ports[0], t.topic_port):
        with connect(port) as s:
            s.sendall(b'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n')
            s.settimeout(0.05)
            began = time.monotonic()
            with pytest.raises(OSError):
                while time.monotonic() - began < 20:
                    s.send(b'x')
                    with contextlib.suppress(TimeoutError):
                        if not s.recv(100):
                            raise ConnectionResetError
        assert health(port)['connections_expired'] == 1


def test_connections_of_one_address(make_toque):
    few = {'connections_per_address_max': 5}
    t = make_toque(queue_options=few).start()
    port = t.queue_ports[0]
    with contextlib.ExitStack() as held:
        first = [held.enter_context(connect(port)) for _ in range(5)]
        wait_for(lambda: len(first) == 5, 'five are there')
        with connect(port) as s:
            assert until_closed(s) == b''
        first[0].close()

        def answered():
            with contextlib.suppress(OSError):
                return call(port, 'ListQueues')[0] == 200

        wait_for(answered, 'one place is free again')


def test_connect_flood(ports):
    """Clients that come and go as fast as they can do not stop others."""
    for _, port in both(ports):
        for n in range(DYING):
            socket.create_connection(('127.0.0.1', port)).close()
            if n % 100 == 0:
                assert call(port, 'ListQueues')[0] == 200
        wait_for(lambda: health(port)['connections'] == 1, 'all are gone')
