"""Links over a network: only who knows the shared key is let in, nobody is kept out by who does not,
and without a key the daemons do not start unless somebody insists."""
import contextlib, socket

import pytest

from daemons import ACCOUNT, REGION, free_port


class Tcp:
    """A link over tcp, and the keys of its two ends."""

    def __init__(self, folder):
        self.folder, self.port = folder, free_port()
        self.url = f'tcp://127.0.0.1:{self.port}'

    def key(self, name, text, mode=0o600):
        path = self.folder / name
        path.write_text(text)
        path.chmod(mode)
        return {'link_key': str(path)}

    def options(self, topicd, queued):
        return dict(topic_options={'queued': self.url, **topicd},
                    queue_options={'link_url': self.url, **queued})


@pytest.fixture
def tcp(tmp_path):
    return Tcp(tmp_path)


def delivers(t):
    sns, sqs = t.sns(), t.sqs()
    topic = sns.create_topic(Name='t')['TopicArn']
    url = sqs.create_queue(QueueName='q')['QueueUrl']
    sns.subscribe(TopicArn=topic, Protocol='sqs', Endpoint=f'arn:aws:sqs:{REGION}:{ACCOUNT}:q',
                  Attributes={'RawMessageDelivery': 'true'})
    sns.publish(TopicArn=topic, Message='hello')
    return sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20)['Messages'][0]['Body'] == 'hello'


def test_one_key(make_toque, tcp):
    key = tcp.key('key', '0123456789' * 4 + '\n')
    t = make_toque(**tcp.options(key, key)).start()
    assert delivers(t)
    t.stop()


def test_strangers_keep_nobody_out(make_toque, tcp):
    key = tcp.key('key', '0123456789' * 4)
    t = make_toque(**tcp.options(key, key))
    t.queued.start()
    with contextlib.ExitStack() as silent:
        for _ in range(40):
            silent.enter_context(socket.create_connection(('127.0.0.1', tcp.port), timeout=30))
        with socket.create_connection(('127.0.0.1', tcp.port), timeout=30) as s:
            s.sendall(b'toquelk\1' + bytes(64))
            t.queued.wait_line('a peer is refused on the link')
            with contextlib.suppress(ConnectionResetError):
                while s.recv(4096):
                    pass
        t.topicd.start()
        t.wait_linked()
        assert delivers(t)
    t.stop()


def test_another_key(make_toque, tcp):
    t = make_toque(**tcp.options(tcp.key('a', 'a' * 32), tcp.key('b', 'b' * 32)))
    t.queued.start()
    t.topicd.start()
    assert 'its key differs' in t.queued.wait_line('a peer is refused on the link')
    assert not any('queued is up' in line for line in t.topicd.log)
    t.topicd.stop()
    t.topicd.options.update(tcp.key('a', 'b' * 32))
    t.topicd.start()
    t.wait_linked()
    assert delivers(t)
    t.stop()


@pytest.mark.parametrize('daemon', ['queued', 'topicd'])
def test_no_key(make_toque, tcp, daemon):
    t = make_toque(**tcp.options({}, {}))
    d = getattr(t, daemon).start(ready=False)
    assert tcp.url in d.wait_line('anybody could connect to this link')
    assert d.wait_end() != 0


def test_a_key_that_is_none(make_toque, tcp):
    for key, why in ((tcp.key('short', 'x' * 31), 'must hold 32 to 1024 characters'),
                     (tcp.key('open', 'x' * 32, 0o640), 'its mode must be 0600, not 0640'),
                     ({'link_key': '/nowhere/key'}, 'No such file')):
        d = make_toque(**tcp.options({}, key)).queued.start(ready=False)
        d.wait_line(why)
        assert d.wait_end() != 0


def test_insecure(make_toque, tcp):
    yes = {'link_insecure': 'true'}
    t = make_toque(**tcp.options(yes, yes)).start()
    for d in (t.queued, t.topicd):
        assert any('the link has no key' in line for line in d.log)
    assert delivers(t)
    t.stop()
