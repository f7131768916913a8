"""The link: a queued that is away, killed or frozen; several queueds; the front door."""
import json, shutil, signal, threading

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

REGION_ACCOUNT = 'us-east-1:000000000000'
TOPIC = f'arn:aws:sns:{REGION_ACCOUNT}:t'


def subscribe(toque, name, door=None):
    sqs = toque.client('sqs', url=door or toque.topic_url)
    url = sqs.create_queue(QueueName=name)['QueueUrl']
    toque.sns().subscribe(TopicArn=TOPIC, Protocol='sqs', Endpoint=f'arn:aws:sqs:{REGION_ACCOUNT}:{name}',
                          Attributes={'RawMessageDelivery': 'true'})
    return sqs, url


def drain(sqs, url, count):
    """`count` bodies in the order of receiving, deleted; then nothing more may come."""
    got = []
    while len(got) < count:
        messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10,
                                       WaitTimeSeconds=10).get('Messages')
        assert messages, f'{len(got)} of {count} arrived'
        for m in messages:
            got.append(m['Body'])
            sqs.delete_message(QueueUrl=url, ReceiptHandle=m['ReceiptHandle'])
    assert 'Messages' not in sqs.receive_message(QueueUrl=url)
    return got


@pytest.fixture
def linked(toque):
    toque.sns().create_topic(Name='t')
    return toque


def test_queued_away_then_back(linked):
    sqs, url = subscribe(linked, 'q')
    sns = linked.sns()
    for n in range(5):
        sns.publish(TopicArn=TOPIC, Message=f'{n:03}')
    linked.queued.kill()
    for n in range(5, 60):
        sns.publish(TopicArn=TOPIC, Message=f'{n:03}')
    linked.queued.start()
    linked.topicd.wait_line('queued is up')
    assert drain(sqs, url, 60) == [f'{n:03}' for n in range(60)]


def test_both_killed_while_the_outbox_holds(linked):
    sqs, url = subscribe(linked, 'q')
    linked.queued.kill()
    sns = linked.sns()
    for n in range(30):
        sns.publish(TopicArn=TOPIC, Message=f'{n:03}')
    linked.topicd.kill()
    linked.topicd.start()
    for n in range(30, 40):
        sns.publish(TopicArn=TOPIC, Message=f'{n:03}')
    linked.queued.start()
    linked.topicd.wait_line('queued is up')
    assert drain(sqs, url, 40) == [f'{n:03}' for n in range(40)]


def test_topicd_goes_on_from_an_old_copy_of_its_store(linked):
    sqs, url = subscribe(linked, 'q')
    folder = linked.folder / 'topicd'
    linked.topicd.stop()
    shutil.copytree(folder, linked.folder / 'copy')
    linked.topicd.start()
    linked.topicd.wait_line('queued is up')
    linked.sns().publish(TopicArn=TOPIC, Message='a')
    linked.topicd.stop()
    shutil.rmtree(folder)
    (linked.folder / 'copy').rename(folder)
    linked.queued.kill()
    linked.topicd.start()
    linked.sns().publish(TopicArn=TOPIC, Message='b')   # to the outbox
    linked.queued.start()
    linked.topicd.wait_line('queued is up')
    assert drain(sqs, url, 2) == ['a', 'b']


def test_queued_goes_on_from_nothing(linked):
    subscribe(linked, 'q')
    linked.sns().publish(TopicArn=TOPIC, Message='gone with the store')
    linked.queued.kill()
    linked.sns().publish(TopicArn=TOPIC, Message='for a queue that is not there')
    shutil.rmtree(linked.folder / 'queued')
    linked.queued.start()
    linked.topicd.wait_line('queued is up')
    sqs, url = subscribe(linked, 'q')
    linked.sns().publish(TopicArn=TOPIC, Message='new')
    assert drain(sqs, url, 1) == ['new']


def test_frozen_queued_delays_nobody_for_ever(linked):
    sqs, url = subscribe(linked, 'q')
    sns = linked.sns()
    linked.queued.process.send_signal(signal.SIGSTOP)
    try:
        sns.publish(TopicArn=TOPIC, Message='while frozen')
    finally:
        linked.queued.process.send_signal(signal.SIGCONT)
    linked.topicd.wait_line('queued is up')
    sns.publish(TopicArn=TOPIC, Message='after')
    assert drain(sqs, url, 2) == ['while frozen', 'after']


def test_forwarded_call_while_queued_is_away(linked):
    sqs, url = subscribe(linked, 'q')
    linked.queued.kill()
    with pytest.raises(ClientError) as e:
        sqs.send_message(QueueUrl=url, MessageBody='m')
    assert e.value.response['ResponseMetadata']['HTTPStatusCode'] >= 500
    linked.queued.start()
    linked.topicd.wait_line('queued is up')
    sqs.send_message(QueueUrl=url, MessageBody='m')
    assert drain(sqs, url, 1) == ['m']


def test_long_poll_through_the_front_door(linked):
    sqs, url = subscribe(linked, 'q')
    answers = []
    poll = threading.Thread(target=lambda: answers.append(
        sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20)))
    poll.start()
    while linked.page('GET', '/health', door='queued')[1]['waiting'] < 1:
        pass
    linked.sns().publish(TopicArn=TOPIC, Message='through')
    poll.join(20)
    assert answers[0]['Messages'][0]['Body'] == 'through'


def test_client_leaves_a_forwarded_long_poll(linked):
    import socket
    sqs, url = subscribe(linked, 'q')
    body = json.dumps({'QueueUrl': url, 'WaitTimeSeconds': 20}).encode()
    with socket.create_connection(('127.0.0.1', linked.topic_port)) as s:
        s.sendall(b'POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: AmazonSQS.ReceiveMessage\r\n'
                  b'Content-Type: application/x-amz-json-1.0\r\nContent-Length: %d\r\n\r\n%s'
                  % (len(body), body))
        while linked.page('GET', '/health', door='queued')[1]['waiting'] < 1:
            pass
    while linked.page('GET', '/health', door='queued')[1]['waiting'] > 0:
        pass
    linked.sns().publish(TopicArn=TOPIC, Message='m')
    got = sqs.receive_message(QueueUrl=url, AttributeNames=['All'], WaitTimeSeconds=5)['Messages'][0]
    assert got['Attributes']['ApproximateReceiveCount'] == '1'


def test_answer_larger_than_the_link_takes(make_toque):
    toque = make_toque(queue_options={'link_frame_size_max': '4MiB'}, topic_options={
        'link_frame_size_max': '4MiB', 'body_size_max': '2MiB', 'ipc_message_size_max': '2MiB'}).start()
    front = toque.client('sqs', url=toque.topic_url)
    url = front.create_queue(QueueName='q')['QueueUrl']
    for _ in range(5):
        front.send_message(QueueUrl=url, MessageBody='x' * 1000000)
    with pytest.raises(ClientError) as e:
        front.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
    assert e.value.response['ResponseMetadata']['HTTPStatusCode'] == 503
    got = front.receive_message(QueueUrl=url, MaxNumberOfMessages=2)
    assert [len(m['Body']) for m in got['Messages']] == [1000000] * 2
    toque.stop()


def test_several_queueds(make_toque):
    toque = make_toque(queueds=3).start()
    sns, front = toque.sns(), toque.client('sqs', url=toque.topic_url)
    sns.create_topic(Name='t')
    names = [f'q{n:02}' for n in range(24)]
    for name in names:
        subscribe(toque, name)
    counts = [len(toque.client('sqs', url=f'http://127.0.0.1:{port}').list_queues().get('QueueUrls', []))
              for port in toque.queue_ports]
    assert sum(counts) == 24 and all(counts), counts
    assert [u.split('/')[-1] for u in front.list_queues()['QueueUrls']] == names
    page = front.list_queues(MaxResults=20)
    rest = front.list_queues(MaxResults=20, NextToken=page['NextToken'])
    assert [u.split('/')[-1] for u in page['QueueUrls'] + rest['QueueUrls']] == names
    # One that was made at a queued's own door is found, too.
    own = toque.client('sqs', url=f'http://127.0.0.1:{toque.queue_ports[2]}')
    own.create_queue(QueueName='own')
    sns.subscribe(TopicArn=TOPIC, Protocol='sqs', Endpoint=f'arn:aws:sqs:{REGION_ACCOUNT}:own')
    toque.queueds[1].kill()
    sns.publish(TopicArn=TOPIC, Message='everywhere')
    toque.queueds[1].start()
    toque.topicd.wait_line('queued is up')
    for name in names:
        assert drain(front, name, 1) == ['everywhere']
    assert 'everywhere' in drain(own, 'own', 1)[0]
    toque.stop()


def test_nobody_answers_where_nobody_is(toque):
    toque.stop()
    with pytest.raises(EndpointConnectionError):
        toque.sns().list_topics()
