"""Test aids: what the service may do to a program happens on order, in both protocols (see test_messages.py)."""
import http.client

import pytest
from botocore.exceptions import ClientError

from daemons import Toque
from test_messages import IS_JSON, bodies, refused


@pytest.fixture
def sqs(tmp_path):
    t = Toque(tmp_path, clock='manual', queue_options={'test_aids': 'true'})
    try:
        client = t.start().sqs()
        client.still = t
        client.create_queue(QueueName='q')
        yield client
        t.stop()
    finally:
        t.kill()


def aids(sqs, door='queued', queue='q', **body):
    method = 'POST' if body else 'GET'
    status, answer = sqs.still.page(method, f'/_toque/queues/{queue}/aids', body or None, door)
    assert status == 200, answer
    return answer


def take(sqs, **more):
    return bodies(sqs.receive_message(QueueUrl='q', MaxNumberOfMessages=10, **more))


@pytest.mark.parametrize('door', ['queued', 'topicd'])
def test_calls_that_fail(sqs, door):
    got = aids(sqs, door, fail={'action': 'SendMessage', 'error': 'OverLimit', 'count': 2, 'message': 'full'})
    assert got['fail'] == {'action': 'SendMessage', 'error': 'OverLimit', 'count': 2, 'message': 'full'}
    for _ in range(2):
        assert refused('OverLimit', 'full', sqs.send_message, QueueUrl='q', MessageBody='m') == 403
    sqs.send_message(QueueUrl='q', MessageBody='m')
    assert 'fail' not in aids(sqs, door)
    aids(sqs, door, fail={'action': 'ReceiveMessage', 'error': 'ServiceUnavailable'})
    with pytest.raises(ClientError) as e:
        sqs.receive_message(QueueUrl='q')
    assert e.value.response['ResponseMetadata']['HTTPStatusCode'] == 503
    assert take(sqs) == ['m']
    if IS_JSON:
        aids(sqs, door, fail={'action': 'GetQueueAttributes', 'error': 'QueueDoesNotExist'})
        with pytest.raises(sqs.exceptions.QueueDoesNotExist):
            sqs.get_queue_attributes(QueueUrl='q')


@pytest.mark.parametrize('error,code,status', [
    ('KmsAccessDenied', 'KMS.AccessDeniedException', 400), ('KmsThrottled', 'KMS.ThrottlingException', 400),
    ('KmsOptInRequired', 'KMS.OptInRequired', 403), ('InvalidSecurity', 'InvalidSecurity', 403),
    ('InvalidAddress', 'InvalidAddress', 404), ('InternalFailure', 'InternalFailure', 500),
    ('MessageNotInflight', 'AWS.SimpleQueueService.MessageNotInflight', 400),
    ('UnrecognizedClientException', 'InvalidClientTokenId', 403)])
def test_every_error_of_the_service(sqs, error, code, status):
    """By its shape or by its code; each once, and then no more."""
    for name in (error, code):
        aids(sqs, fail={'action': 'SendMessage', 'error': name, 'message': 'text'})
        assert refused(code, 'text', sqs.send_message, QueueUrl='q', MessageBody='m') == status
        sqs.send_message(QueueUrl='q', MessageBody='m')


def test_throttled(sqs):
    aids(sqs, throttle_per_second=3)
    for _ in range(3):
        sqs.send_message(QueueUrl='q', MessageBody='m')
    assert refused('RequestThrottled', 'Rate exceeded', sqs.send_message, QueueUrl='q', MessageBody='m') == 403
    sqs.still.advance(1)
    sqs.send_message(QueueUrl='q', MessageBody='m')


def test_delivered_twice(sqs):
    for text in 'abc':
        sqs.send_message(QueueUrl='q', MessageBody=text)
    aids(sqs, deliver_twice=2)
    first = sqs.receive_message(QueueUrl='q', MaxNumberOfMessages=2, AttributeNames=['All'])['Messages']
    assert [m['Body'] for m in first] == ['a', 'b']
    assert sorted(take(sqs)) == ['a', 'b', 'c'] and take(sqs) == []
    for m in first:
        sqs.delete_message(QueueUrl='q', ReceiptHandle=m['ReceiptHandle'])
    sqs.still.advance(30)
    assert take(sqs) == ['c']


def test_another_order(sqs):
    aids(sqs, reorder=4)
    for text in 'abcdef':
        sqs.send_message(QueueUrl='q', MessageBody=text)
    got = take(sqs)
    sqs.still.advance(1)
    assert got + take(sqs) == ['a', 'c', 'e', 'f', 'b', 'd']


def test_held_back(sqs):
    sqs.send_message(QueueUrl='q', MessageBody='before')
    aids(sqs, hold_back_ms=5000)
    sqs.send_message(QueueUrl='q', MessageBody='held')
    assert take(sqs) == ['before']
    sqs.still.advance(5)
    assert take(sqs) == ['held']


def test_to_the_dead_letter_queue(sqs):
    arn = sqs.get_queue_attributes(QueueUrl=sqs.create_queue(QueueName='dead')['QueueUrl'],
                                   AttributeNames=['QueueArn'])['Attributes']['QueueArn']
    sqs.set_queue_attributes(QueueUrl='q', Attributes={
        'RedrivePolicy': '{"deadLetterTargetArn":"%s","maxReceiveCount":5}' % arn})
    aids(sqs, dead_letter=1)
    for text in 'ab':
        sqs.send_message(QueueUrl='q', MessageBody=text)
    assert take(sqs) == ['b']
    assert bodies(sqs.receive_message(QueueUrl='dead')) == ['a']


def test_set_shown_ended(sqs):
    page = sqs.still.page
    nothing = {'throttle_per_second': 0, 'hold_back_ms': 0, 'deliver_twice': 0, 'reorder': 0, 'dead_letter': 0}
    assert aids(sqs) == nothing
    aids(sqs, deliver_twice=2)
    assert aids(sqs, reorder=3) == {**nothing, 'deliver_twice': 2, 'reorder': 3}
    for bad in ({'nonsense': 1}, {'reorder': -1}, {'reorder': 'x'}, {'hold_back_ms': 900001}, {'fail': {}},
                {'fail': {'action': 'Nonsense', 'error': 'OverLimit'}}, {'reorder': 1000001},
                {'fail': {'action': 'SendMessage', 'error': 'Nonsense'}}, [], {'reorder': 9, 'dead_letter': 0.5}):
        status, answer = page('POST', '/_toque/queues/q/aids', bad, 'queued')
        assert status == 400 and answer['error'], bad
    assert aids(sqs)['reorder'] == 3
    for bad, text in (({'reorder': 1, 'fail': {'action': 'Nonsense', 'error': 'OverLimit'}}, 'Nonsense'),
                      ({'fail': {'action': 'SendMessage', 'error': 'Odd'}}, 'Odd'),
                      ({'dead_letter': 1}, 'dead_letter has no effect: the queue has no RedrivePolicy')):
        status, answer = page('POST', '/_toque/queues/q/aids', bad, 'queued')
        assert status == 400 and text in answer['error'], answer
    c = http.client.HTTPConnection('127.0.0.1', sqs.still.queue_ports[0])
    c.request('POST', '/_toque/queues/q/aids')
    answer = c.getresponse()
    assert answer.status == 400 and b'the body must be a JSON object' in answer.read()
    sqs.create_queue(QueueName='f.fifo', Attributes={'FifoQueue': 'true'})
    for name in 'reorder', 'hold_back_ms':
        status, answer = page('POST', '/_toque/queues/f.fifo/aids', {name: 1}, 'queued')
        assert status == 400 and f'{name} has no effect: the queue is a FIFO queue' in answer['error']
    assert aids(sqs, queue='f.fifo', reorder=0, deliver_twice=1)['deliver_twice'] == 1
    assert page('GET', '/_toque/queues/none/aids', door='queued')[0] == 404
    assert page('DELETE', '/_toque/queues/q/aids', door='queued') == (200, nothing)
    assert aids(sqs) == nothing


def test_off_unless_asked_for(toque):
    toque.sqs().create_queue(QueueName='q')
    c = http.client.HTTPConnection('127.0.0.1', toque.queue_ports[0])
    c.request('POST', '/_toque/queues/q/aids', '{"hold_back_ms": 1000}')
    assert c.getresponse().status == 404
