"""RFC 9112: where two readers could disagree about where a request ends, there is no request."""
import json

import pytest

from hostile import call, say

HOST = b'Host: x\r\n'
SEND = (b'POST /?Action=CreateQueue&QueueName=smuggled HTTP/1.1\r\n' + HOST + b'Content-Length: 0\r\n\r\n')
# Status, and a request whose last part another reader might take for a second one.
CASES = {
    'two lengths': (400, b'Content-Length: 0\r\nContent-Length: %d\r\n\r\n' % len(SEND)),
    'length list': (400, b'Content-Length: 0, %d\r\n\r\n' % len(SEND)),
    'length and coding': (400, b'Content-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'
                          % len(SEND)),
    'coding and length': (400, b'Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n'),
    'blank before the colon': (400, b'Content-Length : 0\r\n\r\n'),
    'tab before the colon': (400, b'Transfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n'),
    'folded': (400, b'Content-Length:\r\n 0\r\n\r\n'),
    'NUL': (400, b'X: a\0b\r\nContent-Length: 0\r\n\r\n'),
    'bare CR': (400, b'X: a\rContent-Length: 0\r\n\r\n'),
    'bare LF': (400, b'X: a\nContent-Length: 0\r\n\r\n'),
    'signed length': (400, b'Content-Length: +0\r\n\r\n'),
    'two hosts': (400, b'Host: y\r\nContent-Length: 0\r\n\r\n'),
    'unknown coding': (501, b'Transfer-Encoding: gzip\r\n\r\n'),
    'two codings': (501, b'Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n'),
    'chunked twice': (400, b'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'),
    'quoted coding': (501, b'Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n'),
    'chunk with a sign': (400, b'Transfer-Encoding: chunked\r\n\r\n+0\r\n\r\n'),
    'chunk with bare LF': (400, b'Transfer-Encoding: chunked\r\n\r\n0\n\r\n'),
    'chunk too long': (400, b'Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n'),
    'chunk of any size': (400, b'Transfer-Encoding: chunked\r\n\r\nffffffffffffffff0\r\n'),
}


@pytest.mark.parametrize('name', CASES)
def test_refused_and_closed(toque, name):
    status, rest = CASES[name]
    for port in (toque.queue_ports[0], toque.topic_port):
        got = say(port, b'POST / HTTP/1.1\r\n' + HOST + rest + SEND)
        assert got.startswith(b'HTTP/1.1 %d ' % status), got
        assert got.count(b'HTTP/1.1 ') == 1 and b'Connection: close\r\n' in got
        assert 'QueueUrls' not in call(port, 'ListQueues')[1]


def test_accepted(toque):
    """What the RFC lets a client send is understood as it is meant."""
    body = json.dumps({'QueueName': 'q'}).encode()
    head = b'X-Amz-Target: AmazonSQS.CreateQueue\r\nConnection: close\r\n'
    chunked = b'2;a="b;c"\r\n%s\r\n%x ; d\r\n%s\r\n000;last\r\nTrailer: x\r\n\r\n' % (
        body[:2], len(body) - 2, body[2:])
    sized = b'Content-Length: %d\r\n' % len(body)
    for line, rest in ((b'POST / HTTP/1.1\r\n' + HOST, b'Transfer-Encoding: Chunked\r\n\r\n' + chunked),
                       (b'\r\n\r\nPOST / HTTP/1.1\r\nhOST:x\r\n', sized + sized + b'\r\n' + body),
                       (b'POST http://other/ HTTP/1.1\r\n' + HOST, sized + b'\r\n' + body),
                       (b'POST / HTTP/1.0\r\n', sized + b'\r\n' + body)):
        for port in (toque.queue_ports[0], toque.topic_port):
            got = say(port, line + head + rest)
            assert got.startswith(b'HTTP/1.1 200 '), got
    got = say(toque.queue_ports[0], b'POST http://other:7/ HTTP/1.1\r\n' + HOST + head + sized + b'\r\n' + body)
    assert b'http://other:7/' in got
    got = say(toque.queue_ports[0], b'GET /health HTTP/1.1\r\nConnection: close\r\n\r\n')
    assert got.startswith(b'HTTP/1.1 400 ')
    got = say(toque.queue_ports[0], b'HEAD /health HTTP/1.1\r\n' + HOST + b'Connection: close\r\n\r\n')
    assert got.startswith(b'HTTP/1.1 200 ') and got.endswith(b'\r\n\r\n')
