"""Answers recorded from the real service that no other file here asks for, line by line, through boto3 in
both protocols (see test_messages.py)."""
import json, threading

import pytest
from botocore.exceptions import ClientError

from test_messages import IS_JSON, bodies, park, queue, refused, sqs  # noqa: F401

OLD = 'AWS.SimpleQueueService.'
BAD_ID = ('A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be '
          'at most 80 letters long.')
INVALID = 'Invalid value for the parameter {}.'


def attributes(sqs, url, *names):  # noqa: F811
    answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(names) or ['All'])
    return answer.get('Attributes')


# --- queues ------------------------------------------------------------------------------------------


def test_named_attributes_and_no_others(sqs, queue):  # noqa: F811
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={'MessageRetentionPeriod': '604800'})
    arn = attributes(sqs, queue, 'QueueArn')['QueueArn']
    policy = '{"deadLetterTargetArn":"%s","maxReceiveCount":5}' % arn
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={'RedrivePolicy': policy})
    got = attributes(sqs, queue, 'MessageRetentionPeriod', 'RedrivePolicy', 'QueueArn')
    assert got == {'MessageRetentionPeriod': '604800', 'RedrivePolicy': policy, 'QueueArn': arn}
    assert arn.split(':')[-2:] == queue.split('/')[-2:]
    for name in ('RedrivePolicy', 'Policy', 'RedriveAllowPolicy'):
        for _ in range(2):
            sqs.set_queue_attributes(QueueUrl=queue, Attributes={name: ''})
        assert name not in attributes(sqs, queue)


def test_encryption(sqs, queue):  # noqa: F811
    three = 'KmsMasterKeyId', 'KmsDataKeyReusePeriodSeconds', 'SqsManagedSseEnabled'
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={'SqsManagedSseEnabled': 'true'})
    assert attributes(sqs, queue, *three) == {'SqsManagedSseEnabled': 'true'}
    key = dict(zip(three, ('testKeyId', '6000', 'false')))
    sqs.set_queue_attributes(QueueUrl=queue, Attributes=key)
    assert attributes(sqs, queue, *three) == key
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={'KmsMasterKeyId': ''})
    assert attributes(sqs, queue, *three) == {'SqsManagedSseEnabled': 'false'}


def test_a_bare_name_is_a_url(sqs, queue):  # noqa: F811
    sqs.set_queue_attributes(QueueUrl='work', Attributes={'DelaySeconds': '1'})
    assert attributes(sqs, 'work', 'DelaySeconds') == {'DelaySeconds': '1'}
    assert attributes(sqs, queue + '/', 'DelaySeconds') == {'DelaySeconds': '1'}


def test_booleans_in_any_case(sqs):  # noqa: F811
    create = lambda **a: sqs.create_queue(QueueName='q.fifo', Attributes=a)['QueueUrl']
    url = create(FifoQueue='True', ContentBasedDeduplication='False')
    assert create(FifoQueue='true') == url == create(FifoQueue='TRUE')
    assert attributes(sqs, url, 'FifoQueue', 'ContentBasedDeduplication') == {
        'FifoQueue': 'true', 'ContentBasedDeduplication': 'false'}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={'FifoQueue': 'true'})
    refused('InvalidAttributeValue', 'Invalid value for the parameter FifoQueue. Reason: Modifying queue '
            'type is not supported.', sqs.set_queue_attributes, QueueUrl=url,
            Attributes={'FifoQueue': 'false'})
    refused('InvalidParameterValue', 'The perMessageGroupId value is allowed only when the value for '
            'DeduplicationScope is messageGroup', sqs.set_queue_attributes, QueueUrl=url,
            Attributes={'FifoThroughputLimit': 'perMessageGroupId'})


def test_bounds_of_attributes(sqs, queue):  # noqa: F811
    for name, low, high in (('DelaySeconds', 0, 900), ('MaximumMessageSize', 1024, 1048576),
                            ('MessageRetentionPeriod', 60, 1209600), ('VisibilityTimeout', 0, 43200),
                            ('ReceiveMessageWaitTimeSeconds', 0, 20)):
        for fine in (low, high):
            sqs.set_queue_attributes(QueueUrl=queue, Attributes={name: str(fine)})
            assert attributes(sqs, queue, name) == {name: str(fine)}
        for bad in (low - 1, high + 1, '', 'x', '1.5'):
            refused('InvalidAttributeValue', INVALID.format(name), sqs.set_queue_attributes, QueueUrl=queue,
                    Attributes={name: str(bad)})
            assert attributes(sqs, queue, name) == {name: str(high)}


# --- send and receive --------------------------------------------------------------------------------


def test_one_queue_does_not_see_the_other(sqs, queue):  # noqa: F811
    other = sqs.create_queue(QueueName='other')['QueueUrl']
    sqs.send_message(QueueUrl=other, MessageBody='m')
    assert 'Messages' not in sqs.receive_message(QueueUrl=queue)
    assert 'Messages' not in sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=0)


def test_at_most_what_is_asked_for(sqs, queue):  # noqa: F811
    for n in range(2):
        sqs.send_message(QueueUrl=queue, MessageBody=str(n))
    for more in ({}, {'WaitTimeSeconds': 0}):
        got = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=1, VisibilityTimeout=0, **more)
        assert len(got['Messages']) == 1 and 'Attributes' not in got['Messages'][0]
    assert sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=3, WaitTimeSeconds=5)['Messages']


@pytest.mark.parametrize('how', [{'WaitTimeSeconds': 10}, {}], ids=['call', 'queue'])
def test_a_waiting_call_gets_what_comes(sqs, queue, how):  # noqa: F811
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={'ReceiveMessageWaitTimeSeconds': '10'})
    thread, answers = park(sqs, QueueUrl=queue, **how)
    sqs.still.advance(1)
    sqs.send_message(QueueUrl=queue, MessageBody='m')
    thread.join(30)
    assert bodies(answers[0]) == ['m']


def test_whole_milliseconds(sqs, queue):  # noqa: F811
    sqs.send_message(QueueUrl=queue, MessageBody='m')
    got = sqs.receive_message(QueueUrl=queue, AttributeNames=['All'])['Messages'][0]['Attributes']
    for name in ('SentTimestamp', 'ApproximateFirstReceiveTimestamp'):
        assert got[name].isdigit() and len(got[name]) == 13


def test_sizes_count_names_types_and_values(sqs, queue):  # noqa: F811
    text = 'One or more parameters are invalid. Reason: Message must be shorter than 1048576 bytes.'
    kv = {'k': {'DataType': 'String', 'StringValue': 'v'}}  # eight bytes
    sqs.send_message(QueueUrl=queue, MessageBody='x' * (1048576 - 8), MessageAttributes=kv)
    refused('InvalidParameterValue', text, sqs.send_message, QueueUrl=queue,
            MessageBody='x' * (1048576 - 7), MessageAttributes=kv)
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={'MaximumMessageSize': '2048'})
    answer = sqs.send_message_batch(QueueUrl=queue, Entries=[
        {'Id': 'a', 'MessageBody': 'x' * 2040, 'MessageAttributes': kv}, {'Id': 'b', 'MessageBody': 'y'}])
    assert [e['Id'] for e in answer['Successful']] == ['a', 'b'] and 'Failed' not in answer


def test_digests(sqs, queue):  # noqa: F811
    for k, v, md5 in (('k', 'x', 'a45daa70926828a2f0a1db3418e6feb4'),
                      ('Foo', 'Bar', 'ae7155c6026991b6d54b11589678bf9c')):
        sent = sqs.send_message(QueueUrl=queue, MessageBody='m', MessageAttributes={
            k: {'DataType': 'String', 'StringValue': v}})
        assert sent['MD5OfMessageAttributes'] == md5 and 'MD5OfMessageSystemAttributes' not in sent
    trace = {'AWSTraceHeader': {'DataType': 'String', 'StringValue':
             'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1'}}
    sent = sqs.send_message(QueueUrl=queue, MessageBody='m', MessageSystemAttributes=trace)
    assert sent['MD5OfMessageSystemAttributes'] == '5ae4d5d7636402d80f4eb6d213245a88'
    assert 'MD5OfMessageAttributes' not in sent
    batch = sqs.send_message_batch(QueueUrl=queue, Entries=[
        {'Id': 'a', 'MessageBody': 'm', 'MessageSystemAttributes': trace}])['Successful'][0]
    assert batch['MD5OfMessageSystemAttributes'] == sent['MD5OfMessageSystemAttributes']


def test_numbers_come_back_as_they_were(sqs, queue):  # noqa: F811
    given = {f'n{i}': {'DataType': 'Number', 'StringValue': text}
             for i, text in enumerate(('1', '01', '-1.50', '1e3', '+2', '0.000', '1E-10'))}
    sent = sqs.send_message(QueueUrl=queue, MessageBody='m', MessageAttributes=given)
    got = sqs.receive_message(QueueUrl=queue, MessageAttributeNames=['All'])['Messages'][0]
    assert got['MessageAttributes'] == given and got['MessageId'] == sent['MessageId']
    assert got['MD5OfMessageAttributes'] == sent['MD5OfMessageAttributes']


def test_names_of_system_attributes(sqs, queue):  # noqa: F811
    four = ['ApproximateFirstReceiveTimestamp', 'ApproximateReceiveCount', 'SenderId', 'SentTimestamp']
    sqs.send_message(QueueUrl=queue, MessageBody='m', MessageAttributes={
        'k': {'DataType': 'String', 'StringValue': 'v'}})

    def told(**names):
        got = sqs.receive_message(QueueUrl=queue, VisibilityTimeout=0, **names)['Messages'][0]
        assert 'MessageAttributes' not in got and 'MD5OfMessageAttributes' not in got
        return sorted(got.get('Attributes', {}))

    for member in ['AttributeNames'] + (['MessageSystemAttributeNames'] if IS_JSON else []):
        assert told(**{member: ['All']}) == four
        assert told(**{member: ['SenderId', 'SequenceNumber']}) == ['SenderId']
        assert told(**{member: []}) == [] == told(**{member: ['Nonsense']})
    if IS_JSON:
        assert told(MessageSystemAttributeNames=['All'], AttributeNames=['SenderId']) == four
        assert told(MessageSystemAttributeNames=['SenderId'], AttributeNames=['All']) == ['SenderId']
        assert told(MessageSystemAttributeNames=[], AttributeNames=['All']) == four


def test_sender_id(sqs, queue):  # noqa: F811
    sqs.send_message(QueueUrl=queue, MessageBody='m')
    sender = sqs.receive_message(QueueUrl=queue, AttributeNames=['SenderId']
                                 )['Messages'][0]['Attributes']['SenderId']
    assert sender.startswith('AIDA') and len(sender) == 21


@pytest.mark.parametrize('wanted,got', [
    (['All'], 'abcd'), (['.*'], 'abcd'), (['*'], 'abcd'), (['Hel.*'], 'ab'), (['Help'], ''), (['col.*'], 'c'),
    (['Hello', 'Hello', 'no such', '', 'a b', '!'], 'a'), (['hello'], ''), ([], ''), (['Help.Me.*'], 'b')])
def test_names_of_message_attributes(sqs, queue, wanted, got):  # noqa: F811
    names = dict(zip('abcd', ('Hello', 'Help.Me', 'color', 'General')))
    sqs.send_message(QueueUrl=queue, MessageBody='m', MessageAttributes={
        n: {'DataType': 'String', 'StringValue': n} for n in names.values()})
    message = sqs.receive_message(QueueUrl=queue, MessageAttributeNames=wanted)['Messages'][0]
    assert set(message.get('MessageAttributes', {})) == {names[g] for g in got}
    assert ('MD5OfMessageAttributes' in message) == bool(got)


def test_an_empty_group(sqs, queue):  # noqa: F811
    refused('InvalidParameterValue', 'Value  for parameter MessageGroupId is invalid. Reason: '
            'MessageGroupId can only include alphanumeric and punctuation characters. 1 to 128 in length.',
            sqs.send_message, QueueUrl=queue, MessageBody='m', MessageGroupId='')
    every = ''.join(chr(c) for c in range(33, 127))
    sqs.send_message(QueueUrl=queue, MessageBody='m', MessageGroupId=every)
    got = sqs.receive_message(QueueUrl=queue, AttributeNames=['MessageGroupId'])['Messages'][0]
    assert got['Attributes'] == {'MessageGroupId': every}


# --- visibility, deletion, purge, retention ----------------------------------------------------------


def test_no_visibility_timeout_leaves_it_visible(sqs, queue):  # noqa: F811
    sqs.send_message(QueueUrl=queue, MessageBody='m')
    for _ in range(3):
        assert bodies(sqs.receive_message(QueueUrl=queue, VisibilityTimeout=0)) == ['m']
    assert bodies(sqs.receive_message(QueueUrl=queue, VisibilityTimeout=3)) == ['m']
    assert bodies(sqs.receive_message(QueueUrl=queue)) == []
    sqs.still.advance(3)
    handle = sqs.receive_message(QueueUrl=queue)['Messages'][0]['ReceiptHandle']
    sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=handle, VisibilityTimeout=0)
    assert bodies(sqs.receive_message(QueueUrl=queue)) == ['m']
    assert bodies(sqs.receive_message(QueueUrl=queue)) == []
    sqs.still.advance(30)
    assert bodies(sqs.receive_message(QueueUrl=queue)) == ['m']


def test_purge_takes_what_is_delayed(sqs):  # noqa: F811
    url = sqs.create_queue(QueueName='late', Attributes={'DelaySeconds': '5'})['QueueUrl']
    sqs.send_message(QueueUrl=url, MessageBody='1')
    sqs.send_message(QueueUrl=url, MessageBody='2', DelaySeconds=0)
    sqs.purge_queue(QueueUrl=url)
    sqs.still.advance(6)
    assert bodies(sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)) == []


@pytest.mark.parametrize('fifo', [False, True], ids=['standard', 'fifo'])
def test_retention(sqs, fifo):  # noqa: F811
    more = {'FifoQueue': 'true', 'ContentBasedDeduplication': 'true'} if fifo else {}
    group = {'MessageGroupId': 'g'} if fifo else {}
    url = sqs.create_queue(QueueName='r.fifo' if fifo else 'r', Attributes={
        'MessageRetentionPeriod': '60', 'VisibilityTimeout': '40', **more})['QueueUrl']
    sqs.send_message(QueueUrl=url, MessageBody='flying', **group)
    handle = sqs.receive_message(QueueUrl=url)['Messages'][0]['ReceiptHandle']
    sqs.send_message(QueueUrl=url, MessageBody='waiting', **group)
    sqs.still.advance(61)
    assert bodies(sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)) == []
    sqs.delete_message(QueueUrl=url, ReceiptHandle=handle)


# --- errors ------------------------------------------------------------------------------------------


@pytest.mark.parametrize('bad', ['', 'x' * 100, 'a:b', 'ü', 'a b'])
def test_ids_are_looked_at_before_handles(sqs, queue, bad):  # noqa: F811
    refused(OLD + 'InvalidBatchEntryId', BAD_ID, sqs.delete_message_batch, QueueUrl=queue,
            Entries=[{'Id': bad, 'ReceiptHandle': 'garbage'}])
    refused(OLD + 'InvalidBatchEntryId', BAD_ID, sqs.change_message_visibility_batch, QueueUrl=queue,
            Entries=[{'Id': bad, 'ReceiptHandle': 'garbage', 'VisibilityTimeout': 1}])


def test_twenty_entries(sqs, queue):  # noqa: F811
    text = 'Maximum number of entries per request are 10. You have sent 20.'
    for call, more in ((sqs.delete_message_batch, {}),
                       (sqs.change_message_visibility_batch, {'VisibilityTimeout': 1})):
        refused(OLD + 'TooManyEntriesInBatchRequest', text, call, QueueUrl=queue, Entries=[
            {'Id': str(n), 'ReceiptHandle': 'garbage', **more} for n in range(20)])


@pytest.mark.parametrize('kind,value', [('Number.' + 'x' * 256, '1'), ('String.' + 'x' * 256, '1'),
                                        ('String', '\x08'), ('String', '\x0b'), ('String', '\ufffe')])
def test_refused_types_and_values(sqs, queue, kind, value):  # noqa: F811
    with pytest.raises(ClientError) as e:
        sqs.send_message(QueueUrl=queue, MessageBody='m', MessageAttributes={
            'k': {'DataType': kind, 'StringValue': value}})
    assert e.value.response['Error']['Code'] == 'InvalidParameterValue'


def test_a_handle_of_another_queue(sqs, queue):  # noqa: F811
    other = sqs.create_queue(QueueName='other')['QueueUrl']
    sqs.send_message(QueueUrl=queue, MessageBody='m')
    handle = sqs.receive_message(QueueUrl=queue)['Messages'][0]['ReceiptHandle']
    text = f'The receipt handle "{handle}" is not valid for this queue.'
    assert refused('ReceiptHandleIsInvalid', text, sqs.delete_message, QueueUrl=other,
                   ReceiptHandle=handle) == 404
    refused('ReceiptHandleIsInvalid', text, sqs.change_message_visibility, QueueUrl=other,
            ReceiptHandle=handle, VisibilityTimeout=0)
    failed = sqs.delete_message_batch(QueueUrl=other, Entries=[{'Id': 'a', 'ReceiptHandle': handle}])
    assert failed['Failed'] == [{'Id': 'a', 'SenderFault': True, 'Code': 'ReceiptHandleIsInvalid',
                                 'Message': text}]
