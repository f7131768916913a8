"""Clients that leave while their receive is answered: nothing that they were given stays hidden, none of it is
counted, and it is handed out again in its order, directly and through topicd's endpoint."""
import contextlib, json, signal, socket, struct

import pytest

from hostile import FULL, call, connect, health, wait_for

MESSAGES = 2000 if FULL else 200
RESET = struct.pack('ii', 1, 0)


def poll(port, wait_s=20):
    body = json.dumps({'QueueUrl': 'q', 'WaitTimeSeconds': wait_s, 'VisibilityTimeout': 600}).encode()
    s = connect(port)
    s.sendall(b'POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: AmazonSQS.ReceiveMessage\r\n'
              b'Content-Length: %d\r\n\r\n%s' % (len(body), body))
    return s


def leave(s, hard):
    if hard:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    s.close()


def drain(port):
    got = []
    while True:
        messages = call(port, 'ReceiveMessage', QueueUrl='q', MaxNumberOfMessages=10, VisibilityTimeout=600,
                        AttributeNames=['All'])[1].get('Messages', [])
        if not messages:
            return got
        got += messages


def check(port):
    """All of them are there, once, in order, as if nobody had received them."""
    wait_for(lambda: call(port, 'GetQueueAttributes', QueueUrl='q', AttributeNames=['All'])[1]['Attributes']
             ['ApproximateNumberOfMessagesNotVisible'] == '0', 'nothing is hidden')
    got = drain(port)
    assert [m['Body'] for m in got] == [str(n) for n in range(MESSAGES)]
    assert {m['Attributes']['ApproximateReceiveCount'] for m in got} == {'1'}


@contextlib.contextmanager
def paused(daemon):
    daemon.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        daemon.process.send_signal(signal.SIGCONT)


@pytest.mark.parametrize('hard', [False, True], ids=['FIN', 'RST'])
def test_receives_that_are_under_way(toque, hard):
    """queued takes the call and only then hears that its client has left."""
    port = toque.topic_port
    toque.sqs().create_queue(QueueName='q')
    for n in range(MESSAGES):
        assert call(port, 'SendMessage', QueueUrl='q', MessageBody=str(n))[0] == 200
    with paused(toque.queued):
        receives = [poll(port) for n in range(MESSAGES)]
        wait_for(lambda: health(port)['waiting'] == MESSAGES, 'all receives are forwarded')
        for s in receives:
            leave(s, hard)
        wait_for(lambda: health(port)['waiting'] == 0, 'all have left')
    check(port)


@pytest.mark.parametrize('front', [False, True], ids=['queued', 'topicd'])
def test_receives_that_leave_at_once(toque, front):
    port = toque.topic_port if front else toque.queue_ports[0]
    toque.sqs().create_queue(QueueName='q')
    for n in range(MESSAGES):
        assert call(port, 'SendMessage', QueueUrl='q', MessageBody=str(n))[0] == 200
    for n in range(MESSAGES):
        leave(poll(port, 0), n % 2)
    check(port)
