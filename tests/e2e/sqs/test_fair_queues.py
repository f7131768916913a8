"""MessageGroupId on standard queues through boto3: it names a tenant, and a noisy one does not delay the
others."""
from test_messages import queue, sqs  # noqa: F401: fixtures


def send(sqs, queue, group, n):  # noqa: F811
    for first in range(0, n, 10):
        sqs.send_message_batch(QueueUrl=queue, Entries=[
            {'Id': str(i), 'MessageBody': f'{group}-{first + i}', 'MessageGroupId': group}
            for i in range(min(10, n - first))])


def take(sqs, queue, most=10):  # noqa: F811
    return sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=most, AttributeNames=['All'])['Messages']


def test_a_quiet_group_is_not_delayed(sqs, queue):  # noqa: F811
    send(sqs, queue, 'loud', 200)
    got = [m for _ in range(4) for m in take(sqs, queue)]
    assert [m['Body'] for m in got[:3]] == ['loud-0', 'loud-1', 'loud-2']
    assert {m['Attributes']['MessageGroupId'] for m in got} == {'loud'}
    send(sqs, queue, 'quiet', 3)
    sqs.send_message(QueueUrl=queue, MessageBody='alone')
    got = take(sqs, queue)
    assert [m['Body'] for m in got[:4]] == ['quiet-0', 'quiet-1', 'quiet-2', 'alone']
    assert got[4]['Attributes']['MessageGroupId'] == 'loud'  # whoever waits is served when no other does
    for m in got:
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=m['ReceiptHandle'])
    sqs.still.advance(31)
    assert len({m['Body'] for _ in range(20) for m in take(sqs, queue)}) == 194
