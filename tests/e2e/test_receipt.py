"""The receipt service, from topology file to deleted messages: one topic, two queues, filter policies
(one with anything-but); published with message attributes, filtered, long-polled and deleted. Over TCP
through the front door, over the Unix sockets, and over the ipc door."""
import json, os, subprocess

import pytest

from daemons import ACCOUNT, BUILD, REGION, ROOT, UnixConnection

TOPIC = f'arn:aws:sns:{REGION}:{ACCOUNT}:receipts'
TOPOLOGY = str(ROOT / 'config/topology.json')


@pytest.fixture
def service(make_toque):
    return make_toque(topology=TOPOLOGY).start()


def attributes(kind, channel):
    return {'receipt_type': {'DataType': 'String', 'StringValue': kind},
            'channel': {'DataType': 'String', 'StringValue': channel}}


def url(client, name):
    return client.get_queue_url(QueueName=name)['QueueUrl']


def drain(client, name):
    """Bodies of what is there, deleted; the first receive is a long poll."""
    queue, got, wait = url(client, name), [], 1
    while True:
        answer = client.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=wait)
        if 'Messages' not in answer:
            return got
        for m in answer['Messages']:
            got.append(json.loads(m['Body']))
            client.delete_message(QueueUrl=queue, ReceiptHandle=m['ReceiptHandle'])
        wait = 0


def test_over_tcp_through_the_front_door(service):
    sns, sqs = service.sns(), service.client('sqs', url=service.topic_url)
    sns.publish(TopicArn=TOPIC, Message='{"total":12}', Subject='receipt',
                MessageAttributes=attributes('purchase', 'paper'))
    sns.publish(TopicArn=TOPIC, Message='{"total":-5}', MessageAttributes=attributes('refund', 'push'))
    points = drain(sqs, 'point-deduction')
    assert [p['Message'] for p in points] == ['{"total":12}']
    assert points[0]['Type'] == 'Notification' and points[0]['Subject'] == 'receipt'
    assert points[0]['MessageAttributes']['receipt_type'] == {'Type': 'String', 'Value': 'purchase'}
    assert [p['Message'] for p in drain(sqs, 'notification')] == ['{"total":-5}']
    assert drain(sqs, 'point-deduction') == []


def test_topology_is_created_once(service):
    sqs = service.sqs()
    queue = url(sqs, 'notification')
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={'VisibilityTimeout': '77'})
    service.sns().publish(TopicArn=TOPIC, Message='kept', MessageAttributes=attributes('x', 'push'))
    service.stop()
    service.start()
    got = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=['VisibilityTimeout'])
    assert got['Attributes']['VisibilityTimeout'] == '77'
    assert [m['Message'] for m in drain(sqs, 'notification')] == ['kept']
    assert len(service.sns().list_subscriptions()['Subscriptions']) == 2


def over_unix(service, door, target, body):
    """One AWS JSON call through a daemon's Unix socket."""
    c = UnixConnection(service.folder / f'{door}.sock')
    c.request('POST', '/', json.dumps(body), {
        'Content-Type': 'application/x-amz-json-1.0', 'X-Amz-Target': target})
    answer = c.getresponse()
    text = answer.read()
    assert answer.status == 200, text
    return json.loads(text or b'{}')


def test_over_the_unix_sockets(service):
    over_unix(service, 'topicd', 'AmazonSNS.Publish', {
        'TopicArn': TOPIC, 'Message': 'by socket', 'MessageAttributes': attributes('purchase', 'push')})
    queue = over_unix(service, 'queued', 'AmazonSQS.GetQueueUrl',
                      {'QueueName': 'point-deduction'})['QueueUrl']
    for door in ('topicd', 'queued'):
        assert queue.endswith(f'/{ACCOUNT}/point-deduction')
        got = over_unix(service, door, 'AmazonSQS.ReceiveMessage',
                        {'QueueUrl': queue, 'WaitTimeSeconds': 1, 'VisibilityTimeout': 0})
        assert json.loads(got['Messages'][0]['Body'])['Message'] == 'by socket'
    over_unix(service, 'topicd', 'AmazonSQS.DeleteMessage',
              {'QueueUrl': queue, 'ReceiptHandle': got['Messages'][0]['ReceiptHandle']})
    assert over_unix(service, 'queued', 'AmazonSQS.ReceiveMessage', {'QueueUrl': queue}) == {}


def over_ipc(service, door, target, body):
    pynng = pytest.importorskip('pynng')
    with pynng.Req0(dial=f'ipc://{service.folder}/{door}.ipc', recv_timeout=30000,
                    resend_time=600000) as socket:
        socket.send(json.dumps({'target': target, 'input': body}).encode())
        return json.loads(socket.recv())


def test_over_the_ipc_door(service):
    done = over_ipc(service, 'topicd', 'AmazonSNS.Publish', {
        'TopicArn': TOPIC, 'Message': 'by nng', 'MessageAttributes': attributes('purchase', 'push')})
    assert done['status'] == 200 and done['output']['MessageId']
    queue = over_ipc(service, 'queued', 'AmazonSQS.GetQueueUrl',
                     {'QueueName': 'notification'})['output']['QueueUrl']
    got = over_ipc(service, 'topicd', 'AmazonSQS.ReceiveMessage',
                   {'QueueUrl': queue, 'WaitTimeSeconds': 5})['output']['Messages'][0]
    assert json.loads(got['Body'])['Message'] == 'by nng'
    assert over_ipc(service, 'queued', 'AmazonSQS.DeleteMessage', {
        'QueueUrl': queue, 'ReceiptHandle': got['ReceiptHandle']}) == {'status': 200, 'output': {}}
    missing = over_ipc(service, 'queued', 'AmazonSQS.ReceiveMessage', {'QueueUrl': 'no-such-queue'})
    assert missing['status'] == 400
    assert missing['error']['__type'] == 'com.amazonaws.sqs#QueueDoesNotExist'


def aws(service, *words):
    """The AWS CLI, untouched, against the front door."""
    done = subprocess.run(
        [str(BUILD / 'venv/bin/aws'), '--endpoint-url', service.topic_url, '--region', REGION,
         '--output', 'json', *words], capture_output=True, text=True, timeout=120,
        env={**os.environ, 'AWS_ACCESS_KEY_ID': 'test', 'AWS_SECRET_ACCESS_KEY': 'test',
             'AWS_CONFIG_FILE': os.devnull, 'AWS_SHARED_CREDENTIALS_FILE': os.devnull})
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) if done.stdout.strip() else None


def test_with_the_aws_cli(service):
    aws(service, 'sns', 'publish', '--topic-arn', TOPIC, '--message', 'from the shell',
        '--message-attributes', json.dumps(attributes('purchase', 'email')))
    queue = aws(service, 'sqs', 'get-queue-url', '--queue-name', 'point-deduction')['QueueUrl']
    got = aws(service, 'sqs', 'receive-message', '--queue-url', queue, '--wait-time-seconds', '5')
    message = got['Messages'][0]
    assert json.loads(message['Body'])['Message'] == 'from the shell'
    assert aws(service, 'sqs', 'delete-message', '--queue-url', queue, '--receipt-handle',
               message['ReceiptHandle']) is None
    assert aws(service, 'sqs', 'receive-message', '--queue-url', queue) is None


def test_dead_letters_and_back(service):
    """As the README shows it."""
    sqs = service.client('sqs', url=service.topic_url)
    arn = f'arn:aws:sqs:{REGION}:{ACCOUNT}:dead-receipts'
    sqs.create_queue(QueueName='dead-receipts')
    work = url(sqs, 'point-deduction')
    sqs.set_queue_attributes(QueueUrl=work, Attributes={
        'RedrivePolicy': json.dumps({'deadLetterTargetArn': arn, 'maxReceiveCount': 3})})
    service.client('sns', url=service.topic_url).publish(
        TopicArn=TOPIC, Message='{"total":12}', MessageAttributes=attributes('purchase', 'push'))
    for n in range(3):
        assert len(sqs.receive_message(QueueUrl=work, VisibilityTimeout=0, WaitTimeSeconds=20)['Messages']) == 1
    assert 'Messages' not in sqs.receive_message(QueueUrl=work)
    sqs.start_message_move_task(SourceArn=arn, MaxNumberOfMessagesPerSecond=100)
    assert [b['Message'] for b in drain(sqs, 'point-deduction')] == ['{"total":12}']
    # The message and the end of its task are in one commit.
    task = sqs.list_message_move_tasks(SourceArn=arn)['Results'][0]
    assert (task['Status'], task['ApproximateNumberOfMessagesMoved']) == ('COMPLETED', 1)
