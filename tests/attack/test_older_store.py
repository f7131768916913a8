"""queued goes on with an older copy of its store: what was promised after the copy is gone, but no handle, no
MessageId and no SequenceNumber of then means another message now."""
import shutil

import pytest

from hostile import call


def copy(toque, to):
    """As a backup is made: of a daemon that rests."""
    toque.queued.stop()
    shutil.copytree(toque.folder / 'queued', toque.folder / to)
    toque.queued.start()


def restore(toque, of, killed):
    toque.queued.kill() if killed else toque.queued.stop()
    shutil.rmtree(toque.folder / 'queued')
    shutil.copytree(toque.folder / of, toque.folder / 'queued')
    toque.queued.start()


def send(port, queue, n):
    group = {'MessageGroupId': 'g', 'MessageDeduplicationId': str(n)} if queue.endswith('.fifo') else {}
    return call(port, 'SendMessage', QueueUrl=queue, MessageBody=f'{queue} {n}', **group)[1]


def receive(port, queue):
    return call(port, 'ReceiveMessage', QueueUrl=queue, MaxNumberOfMessages=10,
                AttributeNames=['All'])[1].get('Messages', [])


@pytest.mark.parametrize('killed', [False, True], ids=['stopped', 'killed'])
@pytest.mark.parametrize('queue', ['q', 'q.fifo'])
def test_old_handles_and_ids(toque, queue, killed):
    port = toque.queue_ports[0]
    call(port, 'CreateQueue', QueueName=queue,
         Attributes={'FifoQueue': 'true'} if queue.endswith('.fifo') else {})
    send(port, queue, 0)
    assert call(port, 'DeleteMessage', QueueUrl=queue,
                ReceiptHandle=receive(port, queue)[0]['ReceiptHandle'])[0] == 200
    copy(toque, 'backup')
    ids, handles, sequences = set(), [], []
    for n in range(1, 21):
        ids.add(send(port, queue, n)['MessageId'])
    for _ in range(20):
        for m in receive(port, queue):
            handles.append(m['ReceiptHandle'])
            sequences.append(m['Attributes'].get('SequenceNumber', ''))
            if queue.endswith('.fifo'):
                call(port, 'DeleteMessage', QueueUrl=queue, ReceiptHandle=m['ReceiptHandle'])
    for _ in range(2):
        restore(toque, 'backup', killed)
        assert len(handles) >= 20
        fresh = [send(port, queue, 100 + n) for n in range(20)]
        assert not ids & {m['MessageId'] for m in fresh}
        if queue.endswith('.fifo'):
            assert min(m['SequenceNumber'] for m in fresh) > max(sequences)
        for handle in handles:
            call(port, 'DeleteMessage', QueueUrl=queue, ReceiptHandle=handle)
            call(port, 'ChangeMessageVisibility', QueueUrl=queue, ReceiptHandle=handle, VisibilityTimeout=600)
        counts = call(port, 'GetQueueAttributes', QueueUrl=queue, AttributeNames=['All'])[1]['Attributes']
        assert counts['ApproximateNumberOfMessages'] == '20'
        ids |= {m['MessageId'] for m in fresh}
        sequences += [m.get('SequenceNumber', '') for m in fresh]
        got = []
        for _ in range(20):
            for m in receive(port, queue):
                got.append(m['MessageId'])
                handles.append(m['ReceiptHandle'])
                if queue.endswith('.fifo'):
                    call(port, 'DeleteMessage', QueueUrl=queue, ReceiptHandle=m['ReceiptHandle'])
        assert set(got) == {m['MessageId'] for m in fresh}


def test_a_queue_made_anew(toque):
    """A queue that was made after the copy has no namesake by number, either."""
    port = toque.queue_ports[0]
    call(port, 'CreateQueue', QueueName='first')
    copy(toque, 'backup')
    call(port, 'CreateQueue', QueueName='second')
    send(port, 'second', 0)
    handle = receive(port, 'second')[0]['ReceiptHandle']
    restore(toque, 'backup', True)
    call(port, 'CreateQueue', QueueName='other')
    send(port, 'other', 0)
    status, answer = call(port, 'DeleteMessage', QueueUrl='other', ReceiptHandle=handle)
    assert status == 404 and 'ReceiptHandleIsInvalid' in answer['__type']
    assert len(receive(port, 'other')) == 1
