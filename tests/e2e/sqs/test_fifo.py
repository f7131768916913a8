"""FIFO queues through boto3, in both protocols: order of groups and what blocks them, deduplication,
handles that expire, what is answered and refused."""
import hashlib, threading

import pytest
from botocore.exceptions import ClientError

from test_messages import IS_JSON, bodies, refused, sqs  # noqa: F401: a fixture

EXPIRED = 'Value {} for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired.'


@pytest.fixture
def queue(sqs):  # noqa: F811
    return sqs.create_queue(QueueName='work.fifo', Attributes={
        'FifoQueue': 'true', 'ContentBasedDeduplication': 'true'})['QueueUrl']


def send(sqs, queue, *names, **more):  # noqa: F811
    """Messages "group-text", one after the other."""
    return [sqs.send_message(QueueUrl=queue, MessageBody=n, MessageGroupId=n.split('-')[0], **more)
            for n in names]


def take(sqs, queue, most=10, **more):  # noqa: F811
    return sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=most, **more).get('Messages', [])


def names(messages):
    return [m['Body'] for m in messages]


def counts(sqs, queue):  # noqa: F811
    a = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=['All'])['Attributes']
    return tuple(int(a['ApproximateNumberOfMessages' + w]) for w in ('', 'NotVisible', 'Delayed'))


def test_creation(sqs, queue):  # noqa: F811
    again = sqs.create_queue(QueueName='work.fifo', Attributes={'FifoQueue': 'True'})['QueueUrl']
    assert again == queue
    got = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=['All'])['Attributes']
    assert set(got) == {
        'ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesDelayed',
        'ApproximateNumberOfMessagesNotVisible', 'ContentBasedDeduplication', 'CreatedTimestamp',
        'DeduplicationScope', 'DelaySeconds', 'FifoQueue', 'FifoThroughputLimit', 'LastModifiedTimestamp',
        'MaximumMessageSize', 'MessageRetentionPeriod', 'QueueArn', 'ReceiveMessageWaitTimeSeconds',
        'SqsManagedSseEnabled', 'VisibilityTimeout'}
    assert (got['FifoQueue'], got['ContentBasedDeduplication']) == ('true', 'true')
    assert (got['DeduplicationScope'], got['FifoThroughputLimit']) == ('queue', 'perQueue')
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={'FifoQueue': 'true'})
    refused('InvalidAttributeValue', 'Invalid value for the parameter FifoQueue. Reason: Modifying queue '
            'type is not supported.', sqs.set_queue_attributes, QueueUrl=queue,
            Attributes={'FifoQueue': 'false'})
    for name in ('work', 'x' * 76 + '.fifo', 'a b.fifo'):
        with pytest.raises(ClientError) as e:
            sqs.create_queue(QueueName=name, Attributes={'FifoQueue': 'true'})
        assert e.value.response['Error']['Code'] == 'InvalidParameterValue'


def test_order_of_groups(sqs, queue):  # noqa: F811
    send(sqs, queue, '1-a', '1-b', '2-a', '2-b', '3-a', '3-b')
    assert names(take(sqs, queue, 1)) == ['1-a'] and names(take(sqs, queue, 1)) == ['2-a']
    assert counts(sqs, queue) == (4, 2, 0)
    sqs.still.advance(30)
    assert counts(sqs, queue) == (6, 0, 0)
    got = take(sqs, queue)
    assert names(got) == ['3-a', '3-b', '1-a', '1-b', '2-a', '2-b']
    assert take(sqs, queue) == []


def test_one_group_with_deletes(sqs, queue):  # noqa: F811
    sent = send(sqs, queue, *(f'g-{n}' for n in range(5)))
    for n in range(5):
        got = take(sqs, queue, 1)[0]
        assert (got['Body'], got['MessageId']) == (f'g-{n}', sent[n]['MessageId'])
        assert got['MD5OfBody'] == sent[n]['MD5OfMessageBody']
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=got['ReceiptHandle'])
    assert take(sqs, queue) == []
    send(sqs, queue, 'g-again')
    assert names(take(sqs, queue)) == ['g-again']


def test_a_freed_group_goes_to_the_back(sqs, queue):  # noqa: F811
    send(sqs, queue, 'g1-m1', 'g1-m2', 'g2-m1')
    got = take(sqs, queue, 2)
    assert names(got) == ['g1-m1', 'g1-m2']
    sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=got[0]['ReceiptHandle'], VisibilityTimeout=0)
    assert names(take(sqs, queue, 3)) == ['g2-m1', 'g1-m1']


@pytest.mark.parametrize('kept', [0, 1, 2])
def test_what_stands_before_a_hidden_one(sqs, queue, kept):  # noqa: F811
    send(sqs, queue, 'g-foo', 'g-bar', 'g-baz')
    got = take(sqs, queue, VisibilityTimeout=1)
    sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=got[kept]['ReceiptHandle'],
                                  VisibilityTimeout=4)
    sqs.still.advance(2.5)
    assert names(take(sqs, queue, 5)) == ['g-foo', 'g-bar', 'g-baz'][:kept]


def test_waiting_for_a_group(sqs, queue):  # noqa: F811
    got, lock = [], threading.Lock()

    def poll():
        for m in take(sqs, queue, 1, WaitTimeSeconds=20):
            with lock:
                got.append(m)
                arrived.set()

    arrived = threading.Event()
    polls = [threading.Thread(target=poll) for _ in range(3)]
    [p.start() for p in polls]
    send(sqs, queue, 'g-1', 'g-2')
    assert arrived.wait(10)
    first = got[0]
    assert names(got) == ['g-1']
    arrived.clear()
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=first['ReceiptHandle'])
    assert arrived.wait(10)
    assert names(got) == ['g-1', 'g-2']
    sqs.still.advance(20)
    [p.join(10) for p in polls]


def test_deduplication(sqs, queue):  # noqa: F811
    first = send(sqs, queue, 'g-a')[0]
    message = take(sqs, queue)[0]
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=message['ReceiptHandle'])
    again = send(sqs, queue, 'g-a')[0]
    assert (again['MessageId'], again['SequenceNumber']) == (first['MessageId'], first['SequenceNumber'])
    own = hashlib.sha256(b'g-a').hexdigest()
    sqs.send_message(QueueUrl=queue, MessageBody='x', MessageGroupId='h', MessageDeduplicationId=own)
    assert counts(sqs, queue) == (0, 0, 0)
    sqs.still.advance(300)
    assert send(sqs, queue, 'g-a')[0]['MessageId'] != first['MessageId']
    sqs.purge_queue(QueueUrl=queue)
    send(sqs, queue, 'g-a')
    assert counts(sqs, queue) == (1, 0, 0)


def test_what_a_message_tells(sqs, queue):  # noqa: F811
    sent = send(sqs, queue, 'g-a', MessageDeduplicationId='d1')[0]
    send(sqs, queue, 'g-b')
    assert len(sent['SequenceNumber']) == 20 and sent['SequenceNumber'].isdigit()
    for n in (1, 2):
        a, b = take(sqs, queue, AttributeNames=['All'], VisibilityTimeout=0)
        assert set(a['Attributes']) == {
            'ApproximateFirstReceiveTimestamp', 'ApproximateReceiveCount', 'MessageDeduplicationId',
            'MessageGroupId', 'SenderId', 'SentTimestamp', 'SequenceNumber'}
        assert a['Attributes']['SequenceNumber'] == sent['SequenceNumber'] < b['Attributes']['SequenceNumber']
        assert (a['Attributes']['MessageGroupId'], a['Attributes']['MessageDeduplicationId']) == ('g', 'd1')
        assert b['Attributes']['MessageDeduplicationId'] == hashlib.sha256(b'g-b').hexdigest()
        assert a['Attributes']['ApproximateReceiveCount'] == str(n)


def test_handles_expire(sqs, queue):  # noqa: F811
    send(sqs, queue, 'g-a')
    handle = take(sqs, queue, VisibilityTimeout=2)[0]['ReceiptHandle']
    sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=handle, VisibilityTimeout=5)
    sqs.still.advance(5)
    status = refused('InvalidParameterValue', EXPIRED.format(handle), sqs.delete_message, QueueUrl=queue,
                     ReceiptHandle=handle)
    assert status == 400
    got = sqs.delete_message_batch(QueueUrl=queue, Entries=[{'Id': '1', 'ReceiptHandle': handle}])
    assert got['Failed'][0]['Code'] == 'InvalidParameterValue'
    assert got['Failed'][0]['Message'] == EXPIRED.format(handle)
    fresh = take(sqs, queue)[0]['ReceiptHandle']
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=fresh)
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=handle)


def test_refused_sends(sqs):  # noqa: F811
    url = sqs.create_queue(QueueName='bare.fifo', Attributes={'FifoQueue': 'true'})['QueueUrl']
    message = dict(QueueUrl=url, MessageBody='m', MessageGroupId='g', MessageDeduplicationId='d')
    sqs.send_message(DelaySeconds=0, **message)
    refused('InvalidParameterValue', 'Value 2 for parameter DelaySeconds is invalid. Reason: The request '
            'include parameter that is not valid for this queue type.', sqs.send_message, DelaySeconds=2,
            **message)
    no_id = ('The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId '
             'provided explicitly')
    refused('InvalidParameterValue', no_id, sqs.send_message, QueueUrl=url, MessageBody='m',
            MessageGroupId='g')
    no_group = 'The request must contain the parameter MessageGroupId.'
    refused('MissingParameter', no_group, sqs.send_message, QueueUrl=url, MessageBody='m',
            MessageDeduplicationId='x')
    good = {'Id': '1', 'MessageBody': 'b', 'MessageGroupId': 'g', 'MessageDeduplicationId': 'b'}
    for lacks, text in (('MessageGroupId', no_group), ('MessageDeduplicationId', no_id)):
        bad = {k: v for k, v in good.items() if k != lacks}
        refused('InvalidParameterValue', text, sqs.send_message_batch, QueueUrl=url,
                Entries=[good, {**bad, 'Id': '2'}])
    for name in ('MessageGroupId', 'MessageDeduplicationId'):
        for bad in ('', 'a b', 'x' * 129, 'ü'):
            refused('InvalidParameterValue', f'Value {bad} for parameter {name} is invalid. Reason: {name} '
                    'can only include alphanumeric and punctuation characters. 1 to 128 in length.',
                    sqs.send_message, **{**message, name: bad})
    assert counts(sqs, url) == (1, 0, 0)
    got = sqs.send_message_batch(QueueUrl=url, Entries=[
        {**good, 'Id': str(n), 'MessageBody': str(n), 'MessageDeduplicationId': f'd{n % 3}'} for n in range(5)])
    ids = [s['MessageId'] for s in got['Successful']]
    assert ids[3:] == ids[:2] and len(set(ids)) == 3
    assert all(len(s['SequenceNumber']) == 20 for s in got['Successful'])
    assert counts(sqs, url) == (4, 0, 0)


def test_receives_repeated(sqs, queue):  # noqa: F811
    send(sqs, queue, 'g-a', 'g-b')
    once = take(sqs, queue, ReceiveRequestAttemptId='try-1')
    assert take(sqs, queue, ReceiveRequestAttemptId='try-1') == once
    assert take(sqs, queue, ReceiveRequestAttemptId='try-2') == []
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=once[0]['ReceiptHandle'])
    refused('InvalidParameterValue', 'Value try-1 for parameter ReceiveRequestAttemptId is invalid. Reason: '
            'The receiveRequestAttemptId is not valid anymore since the receive call is not retryable.',
            sqs.receive_message, QueueUrl=queue, ReceiveRequestAttemptId='try-1')


def test_delays_of_the_queue(sqs, queue):  # noqa: F811
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={'DelaySeconds': '2'})
    send(sqs, queue, '1-a', '2-a', '1-b')
    assert counts(sqs, queue) == (0, 0, 3) and take(sqs, queue) == []
    sqs.still.advance(2)
    assert names(take(sqs, queue)) == ['1-a', '1-b', '2-a']
