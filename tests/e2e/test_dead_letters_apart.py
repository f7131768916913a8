"""Dead-letter queues at several `queued` instances behind one topicd: a queue that is created with a
RedrivePolicy is placed at the instance of its dead-letter queue, and what is apart is refused."""
import json

import pytest
from botocore.exceptions import ClientError

ARN = 'arn:aws:sqs:us-east-1:000000000000:'


def policy(name):
    return json.dumps({'deadLetterTargetArn': ARN + name, 'maxReceiveCount': 1})


def test_several_instances(make_toque):
    toque = make_toque(queueds=3).start()
    sqs = toque.client('sqs', url=f'http://127.0.0.1:{toque.topic_port}')
    names = [f'dead{n}' for n in range(8)]
    dead = {n: sqs.create_queue(QueueName=n)['QueueUrl'] for n in names}
    plain = sqs.create_queue(QueueName='plain')['QueueUrl']
    apart = 0
    for name in names:
        work = sqs.create_queue(QueueName='of-' + name, Attributes={'RedrivePolicy': policy(name)})['QueueUrl']
        assert sqs.create_queue(QueueName='of-' + name, Attributes={'RedrivePolicy': policy(name)})['QueueUrl'] == work
        assert sqs.list_dead_letter_source_queues(QueueUrl=dead[name])['queueUrls'] == [work]
        sqs.send_message(QueueUrl=work, MessageBody=name)
        assert len(sqs.receive_message(QueueUrl=work, VisibilityTimeout=0)['Messages']) == 1
        assert 'Messages' not in sqs.receive_message(QueueUrl=work)
        got = sqs.receive_message(QueueUrl=dead[name], AttributeNames=['All'], VisibilityTimeout=0)['Messages'][0]
        assert got['Attributes']['DeadLetterQueueSourceArn'] == ARN + 'of-' + name
        task = sqs.start_message_move_task(SourceArn=ARN + name)['TaskHandle']
        back = sqs.receive_message(QueueUrl=work, WaitTimeSeconds=20)['Messages']
        assert [m['Body'] for m in back] == [name]
        with pytest.raises(ClientError) as e:
            sqs.cancel_message_move_task(TaskHandle=task)
        assert e.value.response['Error']['Message'] == 'Only active tasks can be cancelled.'
        try:
            sqs.set_queue_attributes(QueueUrl=plain, Attributes={'RedrivePolicy': policy(name)})
        except ClientError as e:
            apart += 1
            assert e.response['Error']['Code'] == 'AWS.SimpleQueueService.UnsupportedOperation'
            assert 'different queued instances' in e.response['Error']['Message']
            with pytest.raises(ClientError) as e:
                sqs.start_message_move_task(SourceArn=ARN + name, DestinationArn=ARN + 'plain')
            assert 'different queued instances' in e.value.response['Error']['Message']
        else:
            assert plain in sqs.list_dead_letter_source_queues(QueueUrl=dead[name])['queueUrls']
    assert 0 < apart < 8
    with pytest.raises(ClientError) as e:
        sqs.create_queue(QueueName='new', Attributes={'RedrivePolicy': policy('gone')})
    assert 'Dead letter target does not exist.' in e.value.response['Error']['Message']
    toque.stop()
