"""Dead-letter queues through boto3, in both protocols: the policies and what is refused of them, the
lazy move, what a message keeps, who names whom."""
import json, threading

import pytest
from botocore.exceptions import ClientError

from test_messages import IS_JSON, bodies, refused, sqs  # noqa: F401: a fixture

ARN = 'arn:aws:sqs:us-east-1:000000000000:'
FIFO = {'FifoQueue': 'true', 'ContentBasedDeduplication': 'true'}


def policy(name, count):
    return json.dumps({'deadLetterTargetArn': ARN + name, 'maxReceiveCount': count})


def create(sqs, name, **attributes):  # noqa: F811
    return sqs.create_queue(QueueName=name, Attributes=attributes)['QueueUrl']


def attribute(sqs, queue, name):  # noqa: F811
    return sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=['All'])['Attributes'].get(name)


def count(sqs, queue):  # noqa: F811
    return int(attribute(sqs, queue, 'ApproximateNumberOfMessages'))


def take(sqs, queue, **more):  # noqa: F811
    return sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, AttributeNames=['All'],
                               MessageAttributeNames=['All'], **more).get('Messages', [])


@pytest.fixture
def pair(sqs):  # noqa: F811
    """A queue whose messages may be received once, and its dead-letter queue."""
    dead = create(sqs, 'dead')
    return create(sqs, 'work', RedrivePolicy=policy('dead', 1)), dead


def test_policies(sqs):  # noqa: F811
    dead, work = create(sqs, 'dead'), create(sqs, 'work')
    for given in (42, '42'):
        sqs.set_queue_attributes(QueueUrl=work, Attributes={'RedrivePolicy': policy('dead', given)})
        text = attribute(sqs, work, 'RedrivePolicy')
        assert json.loads(text) == {'deadLetterTargetArn': ARN + 'dead', 'maxReceiveCount': given}
        assert ' ' not in text
    assert create(sqs, 'work', RedrivePolicy=policy('dead', 42)) == work
    with pytest.raises(ClientError) as e:
        create(sqs, 'work', RedrivePolicy=policy('dead', 43))
    assert e.value.response['Error']['Message'] == (
        'A queue already exists with the same name and a different value for attribute RedrivePolicy')
    for _ in range(2):
        sqs.set_queue_attributes(QueueUrl=work, Attributes={'RedrivePolicy': ''})
        assert attribute(sqs, work, 'RedrivePolicy') is None
    allow = json.dumps({'redrivePermission': 'byQueue', 'sourceQueueArns': [ARN + 'other']})
    sqs.set_queue_attributes(QueueUrl=dead, Attributes={'RedriveAllowPolicy': allow})
    assert json.loads(attribute(sqs, dead, 'RedriveAllowPolicy')) == json.loads(allow)
    with pytest.raises(ClientError) as e:
        sqs.set_queue_attributes(QueueUrl=work, Attributes={'RedrivePolicy': policy('dead', 1)})
    assert e.value.response['Error']['Code'] == 'InvalidParameterValue'
    create(sqs, 'other', RedrivePolicy=policy('dead', 1))


@pytest.mark.parametrize('given, text', [
    ('{}', None),
    ('nonsense', 'Invalid value for the parameter RedrivePolicy. Reason: Redrive policy is not a valid JSON map.'),
    (policy('gone', 1), 'Value {} for parameter RedrivePolicy is invalid. Reason: Dead letter target does not '
     'exist.'),
    (policy('dead.fifo', 1), 'Value {} for parameter RedrivePolicy is invalid. Reason: Dead-letter queue must '
     'be same type of queue as the source..'),
    (policy('dead', 0), 'Value {} for parameter RedrivePolicy is invalid. Reason: Invalid value for '
     'maxReceiveCount: 0, valid values are from 1 to 1000 both inclusive.'),
    (json.dumps({'deadLetterTargetArn': ARN + 'dead'}), 'Value {} for parameter RedrivePolicy is invalid. '
     'Reason: Redrive policy does not contain mandatory attribute: maxReceiveCount.'),
])
def test_refused_policies(sqs, given, text):  # noqa: F811
    create(sqs, 'dead')
    create(sqs, 'dead.fifo', **FIFO)
    work = create(sqs, 'work')
    for call in (lambda: sqs.set_queue_attributes(QueueUrl=work, Attributes={'RedrivePolicy': given}),
                 lambda: create(sqs, 'new', RedrivePolicy=given)):
        with pytest.raises(ClientError) as e:
            call()
        error = e.value.response['Error']
        assert error['Code'] == 'InvalidParameterValue'
        assert text is None or error['Message'] == text.format(given)
    assert sorted(u.rsplit('/', 1)[1] for u in sqs.list_queues()['QueueUrls']) == ['dead', 'dead.fifo', 'work']


def test_the_lazy_move(sqs, pair):  # noqa: F811
    work, dead = pair
    sent = sqs.send_message(QueueUrl=work, MessageBody='poison', MessageAttributes={
        'k': {'DataType': 'String', 'StringValue': 'v'}})
    first = take(sqs, work, VisibilityTimeout=5)[0]
    sqs.still.advance(6)
    assert (count(sqs, work), count(sqs, dead)) == (1, 0)
    assert take(sqs, work) == []
    assert (count(sqs, work), count(sqs, dead)) == (0, 1)
    got = take(sqs, dead)[0]
    assert got['MessageId'] == sent['MessageId'] and got['Body'] == 'poison'
    assert got['MD5OfBody'] == sent['MD5OfMessageBody']
    assert got['MD5OfMessageAttributes'] == sent['MD5OfMessageAttributes']
    assert got['MessageAttributes'] == {'k': {'DataType': 'String', 'StringValue': 'v'}}
    for name in ('SentTimestamp', 'ApproximateFirstReceiveTimestamp', 'SenderId'):
        assert got['Attributes'][name] == first['Attributes'][name]
    assert got['Attributes']['ApproximateReceiveCount'] == '2'
    assert got['Attributes']['DeadLetterQueueSourceArn'] == ARN + 'work'
    assert 'DeadLetterQueueSourceArn' not in first['Attributes']
    sqs.delete_message(QueueUrl=dead, ReceiptHandle=got['ReceiptHandle'])
    assert count(sqs, dead) == 0


def test_receives_that_hide_nothing_count(sqs):  # noqa: F811
    dead = create(sqs, 'dead')
    work = create(sqs, 'work', RedrivePolicy=policy('dead', 3))
    sqs.send_message(QueueUrl=work, MessageBody='a')
    for n in range(3):
        assert take(sqs, work, VisibilityTimeout=0)[0]['Attributes']['ApproximateReceiveCount'] == str(n + 1)
    assert take(sqs, work, VisibilityTimeout=0) == [] and count(sqs, dead) == 1


def test_a_long_poll_waits_past_dead_letters(sqs, pair):  # noqa: F811
    work, dead = pair
    sqs.send_message(QueueUrl=work, MessageBody='poison')
    take(sqs, work, VisibilityTimeout=0)
    got = {}
    polls = [threading.Thread(target=lambda n=n, q=q: got.update({n: take(sqs, q, WaitTimeSeconds=20)}))
             for n, q in (('dead', dead), ('work', work))]
    [p.start() for p in polls]
    polls[0].join(20)
    assert [m['Body'] for m in got['dead']] == ['poison'] and 'work' not in got
    sqs.send_message(QueueUrl=work, MessageBody='good')
    polls[1].join(20)
    assert [m['Body'] for m in got['work']] == ['good']


def test_retention_of_standard_queues_counts_from_the_first_send(sqs, pair):  # noqa: F811
    work, dead = pair
    sqs.set_queue_attributes(QueueUrl=dead, Attributes={'MessageRetentionPeriod': '100'})
    sqs.send_message(QueueUrl=work, MessageBody='a')
    sqs.still.advance(60)
    take(sqs, work, VisibilityTimeout=0)
    take(sqs, work)
    assert count(sqs, dead) == 1
    sqs.still.advance(41)
    assert count(sqs, dead) == 0


def test_fifo(sqs):  # noqa: F811
    dead = create(sqs, 'dead.fifo', **FIFO)
    work = create(sqs, 'work.fifo', RedrivePolicy=policy('dead.fifo', 1), **FIFO)
    for text in ('a', 'b'):
        sqs.send_message(QueueUrl=work, MessageBody=text, MessageGroupId='g')
    first = sqs.receive_message(QueueUrl=work, VisibilityTimeout=1)
    assert bodies(first) == ['a']
    assert bodies(sqs.receive_message(QueueUrl=work)) == []
    sqs.still.advance(2)
    assert bodies(sqs.receive_message(QueueUrl=work)) == ['b']  # the group goes on
    got = take(sqs, dead)[0]
    assert got['MessageId'] == first['Messages'][0]['MessageId']
    assert got['Attributes']['MessageGroupId'] == 'g'
    assert got['Attributes']['MessageDeduplicationId'] == got['MessageId']


def test_a_dead_letter_queue_that_is_gone(sqs, pair):  # noqa: F811
    work, dead = pair
    sqs.send_message(QueueUrl=work, MessageBody='a')
    sqs.delete_queue(QueueUrl=dead)
    for n in range(3):
        assert [m['Body'] for m in take(sqs, work, VisibilityTimeout=0)] == ['a']


def test_sources(sqs):  # noqa: F811
    dead = create(sqs, 'dead')
    assert 'queueUrls' not in sqs.list_dead_letter_source_queues(QueueUrl=dead)
    want = {create(sqs, f'work{n}', RedrivePolicy=policy('dead', 1)) for n in range(5)}
    got = sqs.list_dead_letter_source_queues(QueueUrl=dead)
    assert set(got['queueUrls']) == want and 'NextToken' not in got
    pages = sqs.get_paginator('list_dead_letter_source_queues').paginate(
        QueueUrl=dead, PaginationConfig={'PageSize': 2})
    assert [len(p['queueUrls']) for p in pages] == [2, 2, 1]
    sqs.set_queue_attributes(QueueUrl=sorted(want)[0], Attributes={'RedrivePolicy': ''})
    sqs.delete_queue(QueueUrl=sorted(want)[1])
    assert set(sqs.list_dead_letter_source_queues(QueueUrl=dead)['queueUrls']) == set(sorted(want)[2:])
    refused('AWS.SimpleQueueService.NonExistentQueue',
            'The specified queue does not exist.' if IS_JSON else
            'The specified queue does not exist for this wsdl version.',
            sqs.list_dead_letter_source_queues, QueueUrl=dead + 'x')
