"""Messages that are shown without being received: the pages of queued, also through topicd, and that they
change nothing."""
import http.client, json, urllib.parse
import xml.etree.ElementTree as xml

import pytest
from botocore.exceptions import ClientError

NS = '{http://queue.amazonaws.com/doc/2012-11-05/}'
JSON = {'Accept': 'application/json'}


def get(port, path, headers=(), method='GET', body=None, **params):
    c = http.client.HTTPConnection('127.0.0.1', port, timeout=30)
    c.request(method, path + ('?' + urllib.parse.urlencode(params) if params else ''), body, dict(headers))
    answer = c.getresponse()
    text = answer.read().decode()
    c.close()
    return answer.status, answer.getheader('Content-Type'), text


@pytest.fixture(params=['queued', 'topicd'])
def port(request, still):
    return still.topic_port if request.param == 'topicd' else still.queue_ports[0]


@pytest.fixture
def sqs(still):
    client = still.sqs()
    client.create_queue(QueueName='q')
    return client


def page(port, name='q', **params):
    status, kind, text = get(port, f'/_toque/queues/{name}/messages', **params)
    assert (status, kind) == (200, 'application/json'), text
    return json.loads(text)


def aws(port, **params):
    """The messages of the page that other implementations have, as its XML and as its JSON says."""
    url = 'http://any.where:1/000000000000/q'
    status, kind, text = get(port, '/_aws/sqs/messages', QueueUrl=url, **params)
    assert (status, kind) == (200, 'text/xml'), text
    result = xml.fromstring(text).find(f'{NS}ReceiveMessageResult')
    bodies = [m.find(f'{NS}Body').text for m in result.findall(f'{NS}Message')]
    status, kind, text = get(port, '/_aws/sqs/messages', JSON, QueueUrl=url, **params)
    assert (status, kind) == (200, 'application/json')
    messages = json.loads(text)['ReceiveMessageResponse']['ReceiveMessageResult']['Message']
    assert [m['Body'] for m in messages] == bodies
    return messages


def test_states_counts_and_times(still, sqs, port):
    sqs.send_message(QueueUrl='q', MessageBody='flying')
    still.advance(5)
    got = sqs.receive_message(QueueUrl='q', AttributeNames=['All'], VisibilityTimeout=60)['Messages'][0]
    sent = sqs.send_message(QueueUrl='q', MessageBody='"seen" <&>', MessageAttributes={
        'k': {'DataType': 'String', 'StringValue': 'v"'}, 'b': {'DataType': 'Binary', 'BinaryValue': b'\0\1'}})
    sqs.send_message(QueueUrl='q', MessageBody='later', DelaySeconds=100)
    for _ in range(2):
        answer = page(port)
        assert answer['QueueArn'] == 'arn:aws:sqs:us-east-1:000000000000:q' and 'NextToken' not in answer
        flying, seen, later = answer['Messages']
        assert [m['State'] for m in answer['Messages']] == ['in_flight', 'visible', 'delayed']
        assert flying['Attributes'] == got['Attributes'] and flying['MessageId'] == got['MessageId']
        assert flying['Attributes']['ApproximateReceiveCount'] == '1'
        assert flying['VisibleTimestamp'] == int(
            got['Attributes']['ApproximateFirstReceiveTimestamp']) + 60000
        assert (seen['Body'], seen['MessageId']) == ('"seen" <&>', sent['MessageId'])
        assert seen['MessageAttributes'] == {'k': {'StringValue': 'v"', 'DataType': 'String'},
                                             'b': {'BinaryValue': 'AAE=', 'DataType': 'Binary'}}
        assert 'ApproximateFirstReceiveTimestamp' not in seen['Attributes']
        assert seen['Attributes']['ApproximateReceiveCount'] == '0' and 'VisibleTimestamp' not in seen
        assert later['VisibleTimestamp'] == int(later['Attributes']['SentTimestamp']) + 100000
    counts = sqs.get_queue_attributes(QueueUrl='q', AttributeNames=['All'])['Attributes']
    assert [counts['ApproximateNumberOfMessages' + k] for k in ('', 'NotVisible', 'Delayed')] == ['1'] * 3
    again = sqs.receive_message(QueueUrl='q', AttributeNames=['ApproximateReceiveCount'])['Messages']
    assert [m['Attributes'] for m in again] == [{'ApproximateReceiveCount': '1'}]


def test_as_other_implementations_have_it(sqs, port):
    for n, more in enumerate(({}, {'DelaySeconds': 100}, {})):
        sqs.send_message(QueueUrl='q', MessageBody=f'message-{n}', MessageAttributes={
            'k': {'DataType': 'Number', 'StringValue': '1'}}, **more)
    sqs.receive_message(QueueUrl='q')
    assert [m['Body'] for m in aws(port)] == ['message-2']
    assert [m['Body'] for m in aws(port, ShowInvisible='true')] == ['message-0', 'message-2']
    assert [m['Body'] for m in aws(port, ShowDelayed='true')] == ['message-1', 'message-2']
    whole = aws(port, ShowDelayed='true', ShowInvisible='true')
    assert [m['Body'] for m in whole] == ['message-0', 'message-1', 'message-2']
    assert whole[0]['ReceiptHandle'] == 'SQS/BACKDOOR/ACCESS'
    attributes = {a['Name']: a['Value'] for a in whole[0]['Attribute']}
    assert attributes['ApproximateReceiveCount'] == '1' and len(attributes['SentTimestamp']) == 13
    assert whole[0]['MessageAttribute'] == [{'Name': 'k', 'Value': {'StringValue': '1', 'DataType': 'Number'}}]
    with pytest.raises(ClientError):
        sqs.delete_message(QueueUrl='q', ReceiptHandle=whole[0]['ReceiptHandle'])
    for path in ('/_aws/sqs/messages/us-east-1/000000000000/q', '/_aws/sqs/messages'):
        status, _, text = get(port, path, {'Content-Type': 'application/x-www-form-urlencoded'}, 'POST',
                              'Action=ReceiveMessage&QueueUrl=q')
        assert status == 200 and '<Body>message-2</Body>' in text


def test_a_client_that_is_pointed_at_it(still, sqs, port):
    """boto3 with the page as its endpoint: looks, receives nothing."""
    looking = still.sqs(url=f'http://127.0.0.1:{port}/_aws/sqs/messages')
    sqs.send_message(QueueUrl='q', MessageBody='m')
    for _ in range(2):
        got = looking.receive_message(QueueUrl='q')['Messages'][0]
        assert got['Body'] == 'm' and got['Attributes']['ApproximateReceiveCount'] == '0'
    with pytest.raises(ClientError):
        looking.purge_queue(QueueUrl='q')
    with pytest.raises(looking.exceptions.QueueDoesNotExist):
        looking.receive_message(QueueUrl='none')
    assert sqs.receive_message(QueueUrl='q')['Messages'][0]['Body'] == 'm'


def test_pages(still, sqs, port):
    for n in range(25):
        sqs.send_message_batch(QueueUrl='q', Entries=[
            {'Id': str(i), 'MessageBody': str(10 * n + i)} for i in range(10)])
    seen, after = [], 0
    while after is not None:
        answer = page(port, limit=60, after=after)
        seen += [int(m['Body']) for m in answer['Messages']]
        after = answer.get('NextToken')
    assert seen == list(range(250))
    assert len(page(port)['Messages']) == 100
    # The message at which a page ended is gone.
    token = page(port, limit=10)['NextToken']
    for handle in [m['ReceiptHandle'] for m in sqs.receive_message(
            QueueUrl='q', MaxNumberOfMessages=10)['Messages']]:
        sqs.delete_message(QueueUrl='q', ReceiptHandle=handle)
    assert [int(m['Body']) for m in page(port, limit=5, after=token)['Messages']] == list(range(10, 15))
    sqs.purge_queue(QueueUrl='q')
    assert page(port, after=token)['Messages'] == [] == page(port)['Messages']
    assert aws(port) == []


@pytest.mark.parametrize('where', ['body', 'attribute', 'escapes'])
def test_large_messages_end_a_page(sqs, port, where):
    """With the message that makes it larger than 4 MiB, whatever part of it is large."""
    large = {'body': {'MessageBody': 'x' * 1000000},
             'attribute': {'MessageBody': 'm', 'MessageAttributes': {
                 'a': {'DataType': 'String', 'StringValue': 'x' * 1000000}}},
             'escapes': {'MessageBody': '"' * 500000}}[where]
    for _ in range(12):
        sqs.send_message(QueueUrl='q', **large)
    counts, after = [], 0
    while after is not None:
        answer = page(port, after=after)
        counts.append(len(answer['Messages']))
        after = answer.get('NextToken')
    assert counts == [5, 5, 2]


def test_fifo_and_topics(still, sqs, port):
    sqs.create_queue(QueueName='f.fifo', Attributes={'FifoQueue': 'true'})
    sent = sqs.send_message(QueueUrl='f.fifo', MessageBody='m', MessageGroupId='g', MessageDeduplicationId='d')
    attributes = page(port, 'f.fifo')['Messages'][0]['Attributes']
    assert (attributes['MessageGroupId'], attributes['MessageDeduplicationId'],
            attributes['SequenceNumber']) == ('g', 'd', sent['SequenceNumber'])
    sns = still.sns()
    arn = sns.create_topic(Name='t')['TopicArn']
    sns.subscribe(TopicArn=arn, Protocol='sqs', Endpoint='arn:aws:sqs:us-east-1:000000000000:q')
    sns.publish(TopicArn=arn, Message='hello')
    sqs.receive_message(QueueUrl='q', WaitTimeSeconds=10, VisibilityTimeout=0)
    assert json.loads(page(port)['Messages'][0]['Body'])['Message'] == 'hello'


def test_refused(sqs, port):
    assert get(port, '/_toque/queues/none/messages')[0] == 404
    status, kind, text = get(port, '/_aws/sqs/messages', QueueUrl='none')
    assert (status, kind) == (400, 'text/xml')
    assert '<Code>AWS.SimpleQueueService.NonExistentQueue</Code>' in text
    assert 'the parameter QueueUrl is missing' in get(port, '/_aws/sqs/messages')[2]
    assert get(port, '/_aws/sqs/messages')[0] == 400
    for params, text in (({'account': '111111111111'}, 'no queue q in account 111111111111, region us-east-1'),
                         ({'region': 'eu-west-1'}, 'no queue q in account 000000000000, region eu-west-1')):
        status, _, answer = get(port, '/_toque/queues/q/messages', **params)
        assert status == 404 and json.loads(answer)['error'] == text
    for name, value, text in (('limit', 0, 'limit must be a number between 1 and 1000'),
                              ('limit', 1001, 'limit must be a number between 1 and 1000'),
                              ('after', 'xx', 'after must be the NextToken of an earlier page')):
        status, _, answer = get(port, '/_toque/queues/q/messages', **{name: value})
        assert status == 400 and json.loads(answer)['error'] == text
        status, _, answer = get(port, '/_aws/sqs/messages', QueueUrl='q', **{name: value})
        assert status == 400 and text in answer
    assert get(port, '/_aws/sqs/messages', QueueUrl='q', Action='SendMessage')[0] == 400
    assert get(port, '/_toque/queues/q%zz/messages')[0] == 400
    assert get(port, '/_toque/queues//messages')[0] == 404


def test_several_queueds(make_toque):
    t = make_toque(queueds=2).start()
    sqs = t.sqs(url=t.topic_url)
    for n in range(6):
        sqs.create_queue(QueueName=f'q{n}')
        sqs.send_message(QueueUrl=f'q{n}', MessageBody=f'in {n}')
    for n in range(6):
        assert [m['Body'] for m in page(t.topic_port, f'q{n}')['Messages']] == [f'in {n}']
    t.stop()


def test_why_a_message_died(still, sqs, port):
    """Each delivery of a dead letter: when, how it ended, by whom; also after a restart."""
    sqs.create_queue(QueueName='dead')
    sqs.set_queue_attributes(QueueUrl='q', Attributes={'RedrivePolicy': json.dumps(
        {'deadLetterTargetArn': 'arn:aws:sqs:us-east-1:000000000000:dead', 'maxReceiveCount': 2})})
    sqs.send_message(QueueUrl='q', MessageBody='poison')
    assert 'Deliveries' not in page(port)['Messages'][0]
    sqs.receive_message(QueueUrl='q', VisibilityTimeout=10)
    still.advance(10)
    got = sqs.receive_message(QueueUrl='q', VisibilityTimeout=60)['Messages'][0]
    still.advance(1)
    sqs.change_message_visibility(QueueUrl='q', ReceiptHandle=got['ReceiptHandle'], VisibilityTimeout=0)
    assert 'Messages' not in sqs.receive_message(QueueUrl='q')
    for life in range(2):
        first, second = page(port, 'dead')['Messages'][0]['Deliveries']
        assert first['VisibleTimestamp'] - first['ReceivedTimestamp'] == 10000
        assert (first['Ended'], second['Ended']) == ('timed out', 'made visible')
        assert second['ChangedTimestamp'] - second['ReceivedTimestamp'] == 1000
        assert first['AccessKey'] == second['AccessKey'] == second['ChangerAccessKey'] == '000000000000'
        assert first['Address'] == second['ChangerAddress'] == '127.0.0.1'
        still.queueds[0].kill()
        still.queueds[0].start()
        still.topicd.wait_line('queued is up')


def mend(port, **members):
    status, _, text = get(port, '/_toque/queues/dead/redrive', method='POST', body=json.dumps(members),
                          headers={'Content-Type': 'application/json'})
    return status, text


def test_a_dead_letter_is_changed_and_sent_back(still, sqs, port):
    sqs.create_queue(QueueName='dead')
    sqs.set_queue_attributes(QueueUrl='q', Attributes={'RedrivePolicy': json.dumps(
        {'deadLetterTargetArn': 'arn:aws:sqs:us-east-1:000000000000:dead', 'maxReceiveCount': 1})})
    attribute = {'k': {'DataType': 'String', 'StringValue': 'v'}}
    for body in ('bad 1', 'bad 2'):
        sqs.send_message(QueueUrl='q', MessageBody=body, MessageAttributes=attribute)
    assert len(sqs.receive_message(QueueUrl='q', MaxNumberOfMessages=10, VisibilityTimeout=0)['Messages']) == 2
    assert 'Messages' not in sqs.receive_message(QueueUrl='q')
    first, second = [m['MessageId'] for m in page(port, 'dead')['Messages']]
    assert mend(port, MessageId='none')[0] == 404
    assert mend(port, MessageId=first, DestinationArn='arn:aws:sqs:us-east-1:000000000000:gone')[0] == 400
    assert mend(port, MessageId=first, MessageAttributes={'k': {'DataType': 'Odd'}})[0] == 400
    assert mend(port, MessageId=first, MessageBody='\b')[0] == 400
    assert len(page(port, 'dead')['Messages']) == 2
    status, text = mend(port, MessageId=first, MessageBody='good 1')
    assert status == 200, text
    status, text = mend(port, MessageId=second, MessageAttributes={'n': {'DataType': 'Number', 'StringValue': '1'}})
    assert status == 200, text
    got = sqs.receive_message(QueueUrl='q', MaxNumberOfMessages=10, AttributeNames=['All'],
                              MessageAttributeNames=['All'])['Messages']
    assert [(m['Body'], sorted(m['MessageAttributes'])) for m in got] == [('good 1', ['k']), ('bad 2', ['n'])]
    assert got[1]['MessageId'] == json.loads(text)['MessageId'] != second
    assert {m['Attributes']['ApproximateReceiveCount'] for m in got} == {'1'}
    assert page(port, 'dead')['Messages'] == []
    assert len(page(port)['Messages'][0]['Deliveries']) == 2  # why it had died is told still
    line = still.queueds[0].wait_line('a dead letter was changed and sent back')
    assert first in line and 'bad' not in line
