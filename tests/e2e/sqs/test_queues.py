"""Queues and their attributes through boto3, in both protocols (see test_messages.py)."""
import json

import pytest
from botocore.exceptions import ClientError

from test_messages import IS_JSON, refused

MISSING = ('The specified queue does not exist.' if IS_JSON else
           'The specified queue does not exist for this wsdl version.')


@pytest.fixture
def sqs(toque):
    client = toque.sqs()
    client.toque = toque
    return client


def attributes(sqs, url, *names):
    answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(names) or ['All'])
    return answer.get('Attributes', {})


def test_create_find_list(sqs):
    assert 'QueueUrls' not in sqs.list_queues()
    urls = [sqs.create_queue(QueueName=f'q-{n:02}')['QueueUrl'] for n in range(10)]
    assert urls[0] == f'http://127.0.0.1:{sqs.toque.queue_ports[0]}/000000000000/q-00'
    assert sqs.get_queue_url(QueueName='q-03')['QueueUrl'] == urls[3]
    assert sqs.list_queues()['QueueUrls'] == urls
    assert sqs.list_queues(QueueNamePrefix='q-0')['QueueUrls'] == urls
    assert sqs.list_queues(QueueNamePrefix='q-07')['QueueUrls'] == [urls[7]]
    assert 'QueueUrls' not in sqs.list_queues(QueueNamePrefix='Q')
    first = sqs.list_queues(MaxResults=2)
    assert first['QueueUrls'] == urls[:2]
    rest = sqs.list_queues(MaxResults=10, NextToken=first['NextToken'])
    assert rest['QueueUrls'] == urls[2:] and 'NextToken' not in rest
    assert 'NextToken' not in sqs.list_queues(MaxResults=10)
    sqs.delete_queue(QueueUrl=urls[0])
    refused('AWS.SimpleQueueService.NonExistentQueue', MISSING, sqs.delete_queue, QueueUrl=urls[0])
    refused('AWS.SimpleQueueService.NonExistentQueue', MISSING, sqs.get_queue_url, QueueName='q-00')
    assert len(sqs.list_queues()['QueueUrls']) == 9


def test_missing_queue_has_its_own_exception(sqs):
    if not IS_JSON:
        pytest.skip('the old model names the class by the code')
    with pytest.raises(sqs.exceptions.QueueDoesNotExist):
        sqs.get_queue_url(QueueName='nowhere')


def test_all_attributes_of_a_fresh_queue(sqs):
    url = sqs.create_queue(QueueName='fresh')['QueueUrl']
    got = attributes(sqs, url)
    assert sorted(got) == [
        'ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesDelayed',
        'ApproximateNumberOfMessagesNotVisible', 'CreatedTimestamp', 'DelaySeconds',
        'LastModifiedTimestamp', 'MaximumMessageSize', 'MessageRetentionPeriod', 'QueueArn',
        'ReceiveMessageWaitTimeSeconds', 'SqsManagedSseEnabled', 'VisibilityTimeout']
    assert got['QueueArn'] == 'arn:aws:sqs:us-east-1:000000000000:fresh'
    assert (got['MaximumMessageSize'], got['MessageRetentionPeriod']) == ('1048576', '345600')
    assert got['SqsManagedSseEnabled'] == 'true' and got['VisibilityTimeout'] == '30'
    assert len(got['CreatedTimestamp']) == 10
    assert attributes(sqs, 'fresh', 'QueueArn') == {'QueueArn': got['QueueArn']}
    assert 'Attributes' not in sqs.get_queue_attributes(QueueUrl=url)
    refused('InvalidAttributeName', 'Unknown Attribute Foobar.', sqs.get_queue_attributes,
            QueueUrl=url, AttributeNames=['Foobar'])


def test_create_again(sqs):
    create = lambda **a: sqs.create_queue(QueueName='same', Attributes=a)['QueueUrl']
    url = create(VisibilityTimeout='69', ReceiveMessageWaitTimeSeconds='1')
    sqs.send_message(QueueUrl=url, MessageBody='stays')
    assert url == create(VisibilityTimeout='69') == sqs.create_queue(QueueName='same')['QueueUrl']
    assert url == create(DelaySeconds='0')
    refused('QueueAlreadyExists', 'A queue already exists with the same name and a different value '
            'for attribute VisibilityTimeout', sqs.create_queue, QueueName='same',
            Attributes={'VisibilityTimeout': '70'})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={'VisibilityTimeout': '2'})
    refused('QueueAlreadyExists', 'A queue already exists with the same name and a different value '
            'for attribute VisibilityTimeout', sqs.create_queue, QueueName='same',
            Attributes={'VisibilityTimeout': '69'})
    assert create(VisibilityTimeout='2') == url
    assert sqs.receive_message(QueueUrl=url)['Messages'][0]['Body'] == 'stays'


@pytest.mark.parametrize('name', ['a b', 'a/b', 'x' * 81, 'dot.ted', 'ü', 'q.fifo'])
def test_bad_names(sqs, name):
    refused('InvalidParameterValue', 'Can only include alphanumeric characters, hyphens, or '
            'underscores. 1 to 80 in length', sqs.create_queue, QueueName=name)


def test_refused_attributes(sqs):
    url = sqs.create_queue(QueueName='a')['QueueUrl']
    for how in (dict(FifoQueue='false'), dict(ContentBasedDeduplication='true'), dict(Nonsense='1')):
        name = next(iter(how))
        refused('InvalidAttributeName', f'Unknown Attribute {name}.', sqs.create_queue,
                QueueName='b', Attributes=how)
        refused('InvalidAttributeName', f'Unknown Attribute {name}.', sqs.set_queue_attributes,
                QueueUrl=url, Attributes=how)
    for name, value in (('VisibilityTimeout', '43201'), ('DelaySeconds', '-1'), ('DelaySeconds', 'x'),
                        ('MessageRetentionPeriod', '59'), ('MaximumMessageSize', '1023'),
                        ('ReceiveMessageWaitTimeSeconds', '21'), ('Policy', 'no json')):
        refused('InvalidAttributeValue', f'Invalid value for the parameter {name}.',
                sqs.set_queue_attributes, QueueUrl=url, Attributes={name: value})
    refused('InvalidAttributeName', 'Unknown Attribute QueueArn.', sqs.set_queue_attributes,
            QueueUrl=url, Attributes={'QueueArn': 'x'})
    refused('InvalidAttributeName', 'You can use one type of server-side encryption (SSE) at one time. '
            'You can either enable KMS SSE or SQS SSE.', sqs.set_queue_attributes, QueueUrl=url,
            Attributes={'KmsMasterKeyId': 'k', 'SqsManagedSseEnabled': 'true'})


def test_policy_and_encryption_are_kept(sqs):
    url = sqs.create_queue(QueueName='kept')['QueueUrl']
    policy = json.dumps({'Version': '2012-10-17', 'Statement': []})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={'Policy': policy})
    assert json.loads(attributes(sqs, url)['Policy']) == json.loads(policy)
    sqs.set_queue_attributes(QueueUrl=url, Attributes={'Policy': ''})
    assert 'Policy' not in attributes(sqs, url)
    sse = {'KmsMasterKeyId': 'testKeyId', 'KmsDataKeyReusePeriodSeconds': '6000',
           'SqsManagedSseEnabled': 'false'}
    sqs.set_queue_attributes(QueueUrl=url, Attributes=sse)
    assert attributes(sqs, url, *sse) == sse
    sqs.set_queue_attributes(QueueUrl=url, Attributes={'KmsMasterKeyId': ''})
    assert attributes(sqs, url, *sse) == {'SqsManagedSseEnabled': 'false'}


def test_accounts_and_regions_are_apart(sqs):
    sqs.create_queue(QueueName='mine')
    for other in (sqs.toque.sqs(region='eu-west-1'), sqs.toque.sqs(account='111122223333')):
        assert 'QueueUrls' not in other.list_queues()
        url = other.create_queue(QueueName='mine')['QueueUrl']
        other.send_message(QueueUrl=url, MessageBody='theirs')
        assert 'Messages' not in sqs.receive_message(QueueUrl='mine')
    assert '/111122223333/' in url


def test_forms_of_the_queue_url(sqs):
    sqs.create_queue(QueueName='forms')
    for form in ('forms', 'http://elsewhere:1/000000000000/forms', 'http://x/queue/forms',
                 'http://x/queue/us-east-1/000000000000/forms',
                 'https://sqs.us-east-1.amazonaws.com/000000000000/forms', 'forms/'):
        sqs.send_message(QueueUrl=form, MessageBody='m')
    for wrong in ('http://whatever-incorrect', 'http://x/000000000000/form', '/', 'Forms'):
        with pytest.raises(ClientError) as e:
            sqs.send_message(QueueUrl=wrong, MessageBody='m')
        assert e.value.response['Error']['Code'] == 'AWS.SimpleQueueService.NonExistentQueue', wrong


def test_state_outlives_both_daemons(sqs):
    url = sqs.create_queue(QueueName='lasting', Attributes={'VisibilityTimeout': '40'})['QueueUrl']
    sqs.send_message(QueueUrl=url, MessageBody='one')
    sqs.send_message(QueueUrl=url, MessageBody='two')
    taken = sqs.receive_message(QueueUrl=url)['Messages'][0]
    sqs.toque.queued.kill()
    sqs.toque.queued.start()
    counts = attributes(sqs, url)
    assert counts['VisibilityTimeout'] == '40'
    assert counts['ApproximateNumberOfMessages'] == '1'
    assert counts['ApproximateNumberOfMessagesNotVisible'] == '1'
    sqs.delete_message(QueueUrl=url, ReceiptHandle=taken['ReceiptHandle'])
    assert sqs.receive_message(QueueUrl=url)['Messages'][0]['Body'] in ('one', 'two')
    sqs.toque.queued.kill()
    sqs.toque.queued.start()
    assert attributes(sqs, url)['ApproximateNumberOfMessagesNotVisible'] == '1'
    assert attributes(sqs, url)['ApproximateNumberOfMessages'] == '0'
