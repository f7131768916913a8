"""Messages of standard queues through boto3. This folder is run twice: by the newest boto3 (AWS JSON)
and by 1.26 (the Query protocol); what is seen must be the same but where a test says otherwise."""
import hashlib, threading

import boto3
import pytest
from botocore.exceptions import ClientError

IS_JSON = boto3.__version__ >= '1.28.81' or int(boto3.__version__.split('.')[1]) >= 29


def refused(code, text, call, **parameters):
    with pytest.raises(ClientError) as e:
        call(**parameters)
    error = e.value.response['Error']
    assert error['Code'] == code and error['Message'] == text, error
    return e.value.response['ResponseMetadata']['HTTPStatusCode']


@pytest.fixture
def sqs(still):
    client = still.sqs()
    client.still = still
    return client


@pytest.fixture
def queue(sqs):
    return sqs.create_queue(QueueName='work')['QueueUrl']


def bodies(answer):
    return [m['Body'] for m in answer.get('Messages', [])]


def test_body_round_trip(sqs, queue):
    for body in ('hello', '"&quot;&quot;\r', 'tab\tline\nreturn\r<&>\'"', ' blanks ', 'Grüße 😀', '\x7f\x85',
                 '\\u0041 \\ /', 'x' * 100000):
        sent = sqs.send_message(QueueUrl=queue, MessageBody=body)
        assert sent['MD5OfMessageBody'] == hashlib.md5(body.encode()).hexdigest()
        got = sqs.receive_message(QueueUrl=queue)['Messages'][0]
        assert got['Body'] == body and got['MessageId'] == sent['MessageId']
        assert got['MD5OfBody'] == sent['MD5OfMessageBody']
        assert 'Attributes' not in got and 'MessageAttributes' not in got
        assert '-' not in got['ReceiptHandle'] and len(got['ReceiptHandle']) <= 1024
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=got['ReceiptHandle'])


def test_refused_bodies(sqs, queue):
    refused('MissingParameter', 'The request must contain the parameter MessageBody.',
            sqs.send_message, QueueUrl=queue, MessageBody='')
    for bad in ('a\x08b', '\x0b', '\x1f', '\ufffe', '\uffff'):
        with pytest.raises(ClientError) as e:
            sqs.send_message(QueueUrl=queue, MessageBody=bad)
        assert e.value.response['Error']['Code'] == 'InvalidMessageContents'


ATTRIBUTES = {'count': {'DataType': 'Number', 'StringValue': '3'},
              'color': {'DataType': 'String', 'StringValue': 'blue'},
              'blob': {'DataType': 'Binary', 'BinaryValue': b'\x01\x02\x03'}}


def test_attributes_and_digests(sqs, queue):
    sent = sqs.send_message(QueueUrl=queue, MessageBody='m', MessageAttributes=ATTRIBUTES)
    assert sent['MD5OfMessageAttributes'] == 'd838729972a4b70e2d2acd9d59ac847c'
    take = dict(QueueUrl=queue, VisibilityTimeout=0)
    got = sqs.receive_message(MessageAttributeNames=['All'], **take)['Messages'][0]
    assert got['MessageAttributes'] == ATTRIBUTES
    assert got['MD5OfMessageAttributes'] == sent['MD5OfMessageAttributes']
    got = sqs.receive_message(MessageAttributeNames=['col.*'], **take)['Messages'][0]
    assert list(got['MessageAttributes']) == ['color']
    assert got['MD5OfMessageAttributes'] == 'da1b33cc3cbfe8b1630921e78e6b9880'
    got = sqs.receive_message(MessageAttributeNames=['colo', '', 'no such'], **take)['Messages'][0]
    assert 'MessageAttributes' not in got and 'MD5OfMessageAttributes' not in got


def test_custom_label_and_trace_header(sqs, queue):
    sent = sqs.send_message(
        QueueUrl=queue, MessageBody='m',
        MessageAttributes={'timestamp': {'DataType': 'Number.java.lang.Long',
                                         'StringValue': '1493147359900'}},
        MessageSystemAttributes={'AWSTraceHeader': {
            'DataType': 'String', 'StringValue':
            'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1'}})
    assert sent['MD5OfMessageAttributes'] == '2e2e4876d8e0bd6b8c2c8f556831c349'
    assert sent['MD5OfMessageSystemAttributes'] == '5ae4d5d7636402d80f4eb6d213245a88'
    got = sqs.receive_message(QueueUrl=queue, AttributeNames=['All'])['Messages'][0]
    assert got['Attributes']['AWSTraceHeader'].startswith('Root=1-5759e988')


def attribute(value, kind='String', name='k'):
    return {'MessageBody': 'm', 'MessageAttributes': {name: {
        'DataType': kind, 'BinaryValue' if kind.startswith('Binary') else 'StringValue': value}}}


def test_refused_attributes(sqs, queue):
    refused('InvalidParameterValue', "Message (user) attribute 'k' must contain a non-empty value of "
            "type 'String'.", sqs.send_message, QueueUrl=queue, **attribute(''))
    refused('InvalidParameterValue', "Can't cast the value of message (user) attribute 'k' to a "
            'number.', sqs.send_message, QueueUrl=queue, **attribute('x1', 'Number'))
    refused('InvalidParameterValue', "The type of message (user) attribute 'k' is invalid. You must "
            'use only the following supported type prefixes: Binary, Number, String.',
            sqs.send_message, QueueUrl=queue, **attribute('x', 'Strin'))
    for name in ('aWs.x', 'AMAZON.x', '.x', 'x.', 'a!', 'a"', 'a§', 'a(', 'a?', 'n' * 257):
        with pytest.raises(ClientError) as e:
            sqs.send_message(QueueUrl=queue, **attribute('v', name=name))
        assert e.value.response['Error']['Code'] == 'InvalidParameterValue', name
    sqs.send_message(QueueUrl=queue, **attribute('v', name='attr.1øßä'))
    eleven = {f'a{n}': {'DataType': 'String', 'StringValue': 'v'} for n in range(11)}
    refused('InvalidParameterValue', 'Number of message attributes [11] exceeds the allowed maximum '
            '[10].', sqs.send_message, QueueUrl=queue, MessageBody='m', MessageAttributes=eleven)


def test_sizes(sqs, queue):
    sqs.send_message(QueueUrl=queue, MessageBody='x' * 1048576)
    text = 'One or more parameters are invalid. Reason: Message must be shorter than {} bytes.'
    refused('InvalidParameterValue', text.format(1048576), sqs.send_message, QueueUrl=queue,
            MessageBody='x' * 1048577)
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={'MaximumMessageSize': '1024'})
    sqs.send_message(QueueUrl=queue, MessageBody='ü' * 512)
    refused('InvalidParameterValue', text.format(1024), sqs.send_message, QueueUrl=queue,
            MessageBody='x' * (1025 - 8), MessageAttributes={'k': {'DataType': 'String',
                                                                   'StringValue': 'x'}})
    answer = sqs.send_message_batch(QueueUrl=queue, Entries=[
        {'Id': '1', 'MessageBody': 'x' * 1024}, {'Id': '2', 'MessageBody': 'x' * 1025}])
    assert [e['Id'] for e in answer['Successful']] == ['1']
    assert answer['Failed'] == [{
        'Id': '2', 'SenderFault': True, 'Code': 'InvalidParameterValue', 'Message':
        'One or more parameters cannot be validated. Reason: Message must be shorter than 1024 bytes.'}]


def test_batch_rules(sqs, queue):
    entry = {'Id': 'a', 'MessageBody': 'm'}
    prefix = 'AWS.SimpleQueueService.'
    refused(prefix + 'EmptyBatchRequest', 'There should be at least one SendMessageBatchRequestEntry '
            'in the request.', sqs.send_message_batch, QueueUrl=queue, Entries=[])
    refused(prefix + 'TooManyEntriesInBatchRequest', 'Maximum number of entries per request are 10. '
            'You have sent 20.', sqs.send_message_batch, QueueUrl=queue,
            Entries=[{'Id': str(n), 'MessageBody': 'm'} for n in range(20)])
    refused(prefix + 'BatchEntryIdsNotDistinct', 'Id a repeated.', sqs.send_message_batch,
            QueueUrl=queue, Entries=[entry, entry])
    for bad in ('a:b', '', 'x' * 81):
        refused(prefix + 'InvalidBatchEntryId', 'A batch entry id can only contain alphanumeric '
                'characters, hyphens and underscores. It can be at most 80 letters long.',
                sqs.send_message_batch, QueueUrl=queue, Entries=[{'Id': bad, 'MessageBody': 'm'}])
    refused(prefix + 'BatchRequestTooLong', 'Batch requests cannot be longer than 1048576 bytes. You '
            'have sent 1048577 bytes.', sqs.send_message_batch, QueueUrl=queue,
            Entries=[{'Id': '1', 'MessageBody': 'x' * 1048570}, {'Id': '2', 'MessageBody': 'y' * 7}])
    answer = sqs.send_message_batch(QueueUrl=queue, Entries=[
        {'Id': f'{n}', 'MessageBody': f'm{n}', 'MessageAttributes': {
            'k': {'DataType': 'String', 'StringValue': 'x'}}} for n in range(10)])
    assert 'Failed' not in answer
    assert {e['MD5OfMessageAttributes'] for e in answer['Successful']} == {
        'a45daa70926828a2f0a1db3418e6feb4'}
    got = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)['Messages']
    assert sorted(m['Body'] for m in got) == [f'm{n}' for n in range(10)]
    done = sqs.delete_message_batch(QueueUrl=queue, Entries=[
        {'Id': str(n), 'ReceiptHandle': m['ReceiptHandle']} for n, m in enumerate(got)] [:9] + [
            {'Id': 'bad', 'ReceiptHandle': 'garbage'}])
    assert len(done['Successful']) == 9
    assert done['Failed'] == [{'Id': 'bad', 'SenderFault': True, 'Code': 'ReceiptHandleIsInvalid',
                               'Message': 'The input receipt handle "garbage" is not a valid receipt '
                               'handle.'}]


def test_receive_bounds(sqs, queue):
    refused('InvalidParameterValue', 'Value 11 for parameter MaxNumberOfMessages is invalid. Reason: '
            'Must be between 1 and 10, if provided.', sqs.receive_message, QueueUrl=queue,
            MaxNumberOfMessages=11)
    for wait in (21, -1):
        refused('InvalidParameterValue', f'Value {wait} for parameter WaitTimeSeconds is invalid. '
                'Reason: Must be >= 0 and <= 20, if provided.', sqs.receive_message, QueueUrl=queue,
                WaitTimeSeconds=wait)
    refused('InvalidParameterValue', 'Value 43201 for parameter VisibilityTimeout is invalid. Reason: '
            'Must be >= 0 and <= 43200, if provided.', sqs.receive_message, QueueUrl=queue,
            VisibilityTimeout=43201)


def test_system_attributes(sqs, queue):
    sqs.send_message(QueueUrl=queue, MessageBody='m')
    got = sqs.receive_message(QueueUrl=queue, AttributeNames=['All'], VisibilityTimeout=0)
    attributes = got['Messages'][0]['Attributes']
    assert sorted(attributes) == ['ApproximateFirstReceiveTimestamp', 'ApproximateReceiveCount',
                                  'SenderId', 'SentTimestamp']
    assert attributes['ApproximateReceiveCount'] == '1'
    first = attributes['ApproximateFirstReceiveTimestamp']
    sqs.still.advance(5)
    again = sqs.receive_message(QueueUrl=queue, AttributeNames=['ApproximateReceiveCount',
                                                                'SequenceNumber'])
    assert again['Messages'][0]['Attributes'] == {'ApproximateReceiveCount': '2'}
    sqs.still.advance(30)
    third = sqs.receive_message(QueueUrl=queue, AttributeNames=['All'])['Messages'][0]['Attributes']
    assert third['ApproximateFirstReceiveTimestamp'] == first
    assert third['ApproximateReceiveCount'] == '3'


def test_group_id_on_a_standard_queue(sqs, queue):
    sent = sqs.send_message(QueueUrl=queue, MessageBody='m', MessageGroupId='tenant-1')
    assert 'SequenceNumber' not in sent
    got = sqs.receive_message(QueueUrl=queue, AttributeNames=['All'])['Messages'][0]
    assert got['Attributes']['MessageGroupId'] == 'tenant-1'
    for bad in ('a b', 'x' * 129):
        refused('InvalidParameterValue', f'Value {bad} for parameter MessageGroupId is invalid. '
                'Reason: MessageGroupId can only include alphanumeric and punctuation characters. 1 '
                'to 128 in length.', sqs.send_message, QueueUrl=queue, MessageBody='m',
                MessageGroupId=bad)


def test_visibility(sqs, queue):
    sqs.send_message(QueueUrl=queue, MessageBody='m')
    first = sqs.receive_message(QueueUrl=queue, VisibilityTimeout=10)['Messages'][0]
    sqs.still.advance(9)
    assert bodies(sqs.receive_message(QueueUrl=queue)) == []
    sqs.still.advance(1)
    second = sqs.receive_message(QueueUrl=queue)['Messages'][0]
    assert second['ReceiptHandle'] != first['ReceiptHandle']
    # An older handle makes it visible again while a later receive hides it.
    sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=first['ReceiptHandle'],
                                  VisibilityTimeout=0)
    third = sqs.receive_message(QueueUrl=queue, VisibilityTimeout=5)['Messages'][0]
    sqs.still.advance(6)
    # Visible again: the change still succeeds and hides it again.
    sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=third['ReceiptHandle'],
                                  VisibilityTimeout=50)
    assert bodies(sqs.receive_message(QueueUrl=queue)) == []
    counts = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=['All'])['Attributes']
    assert counts['ApproximateNumberOfMessagesNotVisible'] == '1'
    sqs.still.advance(51)
    # Late delete on a standard queue: really deleted.
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=third['ReceiptHandle'])
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=first['ReceiptHandle'])
    assert bodies(sqs.receive_message(QueueUrl=queue)) == []
    handle = third['ReceiptHandle']
    refused('InvalidParameterValue', f'Value {handle} for parameter ReceiptHandle is invalid. Reason: '
            'Message does not exist or is not available for visibility timeout change.',
            sqs.change_message_visibility, QueueUrl=queue, ReceiptHandle=handle,
            VisibilityTimeout=1)


def test_visibility_limit_of_twelve_hours(sqs, queue):
    sqs.send_message(QueueUrl=queue, MessageBody='m')
    handle = sqs.receive_message(QueueUrl=queue, VisibilityTimeout=43200)['Messages'][0]['ReceiptHandle']
    sqs.still.advance(60)
    refused('InvalidParameterValue', 'Value 43200 for parameter VisibilityTimeout is invalid. Reason: '
            'Total VisibilityTimeout for the message is beyond the limit [43200 seconds]',
            sqs.change_message_visibility, QueueUrl=queue, ReceiptHandle=handle,
            VisibilityTimeout=43200)
    sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=handle, VisibilityTimeout=43000)


def test_handles(sqs, queue):
    sqs.send_message(QueueUrl=queue, MessageBody='m')
    handle = sqs.receive_message(QueueUrl=queue)['Messages'][0]['ReceiptHandle']
    for bad in ('garbage', handle[:-4] + 'AAAA'):
        status = refused('ReceiptHandleIsInvalid', f'The input receipt handle "{bad}" is not a valid '
                         'receipt handle.', sqs.delete_message, QueueUrl=queue, ReceiptHandle=bad)
        assert status == 404
    refused('MissingParameter', 'The request must contain the parameter ReceiptHandle.',
            sqs.delete_message, QueueUrl=queue, ReceiptHandle='')


def test_delay(sqs, queue):
    sqs.send_message(QueueUrl=queue, MessageBody='late', DelaySeconds=20)
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={'DelaySeconds': '10'})
    sqs.send_message(QueueUrl=queue, MessageBody='later')
    sqs.send_message(QueueUrl=queue, MessageBody='now', DelaySeconds=0)
    counts = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=['All'])['Attributes']
    assert counts['ApproximateNumberOfMessagesDelayed'] == '2'
    assert counts['ApproximateNumberOfMessages'] == '1'
    assert bodies(sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)) == ['now']
    sqs.still.advance(10)
    assert bodies(sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)) == ['later']
    sqs.still.advance(10)
    assert bodies(sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)) == ['late']
    refused('InvalidParameterValue', 'Value 901 for parameter DelaySeconds is invalid. Reason: '
            'DelaySeconds must be >= 0 and <= 900.', sqs.send_message, QueueUrl=queue,
            MessageBody='m', DelaySeconds=901)


def test_retention(sqs, queue):
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={'MessageRetentionPeriod': '60',
                                                         'VisibilityTimeout': '40'})
    sqs.send_message(QueueUrl=queue, MessageBody='in flight')
    handle = sqs.receive_message(QueueUrl=queue)['Messages'][0]['ReceiptHandle']
    sqs.send_message(QueueUrl=queue, MessageBody='waiting')
    sqs.still.advance(61)
    assert bodies(sqs.receive_message(QueueUrl=queue)) == []
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=handle)
    counts = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=['All'])['Attributes']
    assert counts['ApproximateNumberOfMessages'] == '0'
    assert counts['ApproximateNumberOfMessagesNotVisible'] == '0'


def test_purge(sqs, queue):
    sqs.send_message(QueueUrl=queue, MessageBody='flying')
    sqs.receive_message(QueueUrl=queue)
    sqs.send_message(QueueUrl=queue, MessageBody='waiting')
    sqs.send_message(QueueUrl=queue, MessageBody='delayed', DelaySeconds=100)
    sqs.purge_queue(QueueUrl=queue)
    sqs.send_message(QueueUrl=queue, MessageBody='after')
    sqs.still.advance(200)
    assert bodies(sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)) == ['after']


def park(sqs, **how):
    """A long poll in a thread; parked once the daemon says so."""
    answers = []
    thread = threading.Thread(target=lambda: answers.append(sqs.receive_message(**how)))
    thread.start()
    while sqs.still.page('GET', '/health', door='queued')[1]['waiting'] < 1:
        pass
    return thread, answers


@pytest.mark.parametrize('waker', ['send', 'delay', 'visibility', 'change'])
def test_long_poll_is_woken(sqs, queue, waker):
    if waker in ('visibility', 'change'):
        sqs.send_message(QueueUrl=queue, MessageBody='m')
        handle = sqs.receive_message(QueueUrl=queue, VisibilityTimeout=7)['Messages'][0]['ReceiptHandle']
    elif waker == 'delay':
        sqs.send_message(QueueUrl=queue, MessageBody='m', DelaySeconds=7)
    thread, answers = park(sqs, QueueUrl=queue, WaitTimeSeconds=20)
    if waker == 'send':
        sqs.send_message(QueueUrl=queue, MessageBody='m')
    elif waker == 'change':
        sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=handle, VisibilityTimeout=0)
    else:
        sqs.still.advance(7)
    thread.join(30)
    assert bodies(answers[0]) == ['m']


def test_long_poll_ends_with_its_wait(sqs, queue):
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={'ReceiveMessageWaitTimeSeconds': '20'})
    assert 'Messages' not in sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=0)
    thread, answers = park(sqs, QueueUrl=queue)
    sqs.still.advance(20)
    thread.join(15)
    assert not thread.is_alive() and 'Messages' not in answers[0]


def test_client_that_leaves_hides_nothing(sqs, queue):
    import json, socket
    body = json.dumps({'QueueUrl': queue, 'WaitTimeSeconds': 20}).encode()
    with socket.create_connection(('127.0.0.1', sqs.still.queue_ports[0])) as s:
        s.sendall(b'POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: AmazonSQS.ReceiveMessage\r\n'
                  b'Content-Type: application/x-amz-json-1.0\r\nContent-Length: %d\r\n\r\n%s'
                  % (len(body), body))
        while sqs.still.page('GET', '/health', door='queued')[1]['waiting'] < 1:
            pass
    while sqs.still.page('GET', '/health', door='queued')[1]['waiting'] > 0:
        pass
    sqs.send_message(QueueUrl=queue, MessageBody='m')
    got = sqs.receive_message(QueueUrl=queue, AttributeNames=['All'])['Messages'][0]
    assert got['Attributes']['ApproximateReceiveCount'] == '1'
