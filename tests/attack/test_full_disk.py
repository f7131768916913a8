"""A disk without a free byte: what takes messages out goes on, also after a restart, and space comes back; what
would store more is refused with a service error until then, and nothing that was acknowledged is lost."""
import contextlib, os, subprocess

import pytest

from hostile import call, health, wait_for

DISK_MIB = 64
BODY = 'x' * 20000


@pytest.fixture
def small_disk(make_toque, tmp_path):
    """queued on a small file system of its own, and a way to fill that."""
    t = make_toque(reserve=None)
    folder = t.folder / 'queued'
    if subprocess.run(['mount', '-t', 'tmpfs', '-o', f'size={DISK_MIB}m', 'toque-test', folder],
                      capture_output=True).returncode:
        pytest.skip('no file system can be mounted here')
    try:
        yield t.start(), folder
    finally:
        t.kill()
        subprocess.run(['umount', '-l', folder], check=True)


def fill(folder):
    with contextlib.suppress(OSError), open(folder / 'filler', 'ab', buffering=0) as f:
        while True:
            f.write(bytes(4096))


def send(port, n, queue='q'):
    return call(port, 'SendMessage', QueueUrl=queue, MessageBody=f'{n}/{BODY}')[0]


def counts(port, queue='q'):
    a = call(port, 'GetQueueAttributes', QueueUrl=queue, AttributeNames=['All'])[1]['Attributes']
    return int(a['ApproximateNumberOfMessages']), int(a['ApproximateNumberOfMessagesNotVisible'])


def until_full(port, folder):
    """Sends until the disk is full; the numbers that were acknowledged."""
    sent = []
    for n in range(300):
        assert send(port, n) == 200
        sent.append(n)
    fill(folder)
    for n in range(300, 3000):
        if send(port, n) == 200:
            sent.append(n)
        elif health(port)['store'] == 'full':
            break
    wait_for(lambda: health(port)['store'] == 'full', 'the disk is full')
    fill(folder)
    return sent


def drain(port, some=None):
    """Receives and deletes; every call must be answered."""
    got = []
    while some is None or len(got) < some:
        status, answer = call(port, 'ReceiveMessage', QueueUrl='q', MaxNumberOfMessages=10)
        assert status == 200, answer
        if not answer.get('Messages'):
            return got
        for m in answer['Messages']:
            got.append(int(m['Body'].split('/')[0]))
            assert call(port, 'ChangeMessageVisibility', QueueUrl='q', ReceiptHandle=m['ReceiptHandle'],
                        VisibilityTimeout=600)[0] == 200
            assert call(port, 'DeleteMessage', QueueUrl='q', ReceiptHandle=m['ReceiptHandle'])[0] == 200
    return got


@pytest.mark.parametrize('restart', ['none', 'killed', 'stopped'])
def test_consumers_go_on(small_disk, restart):
    t, folder = small_disk
    port = t.queue_ports[0]
    call(port, 'CreateQueue', QueueName='q')
    sent = until_full(port, folder)
    status, answer = call(port, 'SendMessage', QueueUrl='q', MessageBody='never')
    assert status == 503 and 'disk is full' in answer['message']
    assert call(port, 'CreateQueue', QueueName='never')[0] == 503
    if restart != 'none':
        t.queued.kill() if restart == 'killed' else t.queued.stop()
        fill(folder)
        t.queued.start()
    got = drain(port)
    assert sorted(got) == sent
    assert counts(port) == (0, 0)
    os.unlink(folder / 'filler')
    wait_for(lambda: send(port, 1) == 200, 'there is room again')
    assert health(port)['store'] == 'ok'


def test_purge_brings_space_back(small_disk):
    t, folder = small_disk
    port = t.queue_ports[0]
    call(port, 'CreateQueue', QueueName='q')
    until_full(port, folder)
    assert call(port, 'PurgeQueue', QueueUrl='q')[0] == 200
    assert counts(port) == (0, 0)
    wait_for(lambda: health(port)['messages'] == 0, 'all is cleared away')
    os.unlink(folder / 'filler')
    wait_for(lambda: send(port, 1) == 200, 'there is room again')


def test_publications_wait(small_disk):
    """What topicd has acknowledged is delivered when there is room."""
    t, folder = small_disk
    port = t.queue_ports[0]
    url = t.sqs().create_queue(QueueName='q')['QueueUrl']
    t.sqs().create_queue(QueueName='through')
    topic = t.sns().create_topic(Name='t')['TopicArn']
    t.sns().subscribe(TopicArn=topic, Protocol='sqs', Endpoint='arn:aws:sqs:us-east-1:000000000000:through')
    assert url
    until_full(port, folder)
    for n in range(20):
        t.sns().publish(TopicArn=topic, Message=BODY)
    assert counts(port, 'through') == (0, 0)
    drain(port)
    os.unlink(folder / 'filler')
    wait_for(lambda: counts(port, 'through')[0] == 20, 'all are delivered')
