"""Message move tasks through boto3: from a dead-letter queue back to the sources or to another queue."""
import base64, json, time, uuid

import pytest
from botocore.exceptions import ClientError

from test_dead_letters import ARN, count, create, policy, take
from test_messages import refused, sqs  # noqa: F401: a fixture

INVALID = 'InvalidParameterValue'
MISSING = 'ResourceNotFoundException'


@pytest.fixture
def queues(sqs):  # noqa: F811
    if not hasattr(sqs, 'start_message_move_task'):
        pytest.skip('this boto3 does not know move tasks')
    urls = {'dead': create(sqs, 'dead'), 'other': create(sqs, 'other')}
    for name in ('a', 'b'):
        urls[name] = create(sqs, name, RedrivePolicy=policy('dead', 1))
    return urls


def bury(sqs, url, *texts):  # noqa: F811
    for text in texts:
        sqs.send_message(QueueUrl=url, MessageBody=text)
        assert [m['Body'] for m in take(sqs, url, VisibilityTimeout=0)] == [text]
        assert take(sqs, url) == []


def newest(sqs):  # noqa: F811
    return sqs.list_message_move_tasks(SourceArn=ARN + 'dead')['Results'][0]


def ended(sqs):  # noqa: F811
    deadline = time.monotonic() + 20
    while newest(sqs)['Status'] == 'RUNNING':
        assert time.monotonic() < deadline
    return newest(sqs)


def test_back_to_the_sources(sqs, queues):  # noqa: F811
    bury(sqs, queues['a'], '1', '2')
    bury(sqs, queues['b'], '3')
    handle = sqs.start_message_move_task(SourceArn=ARN + 'dead')['TaskHandle']
    inside = json.loads(base64.b64decode(handle))
    assert inside['sourceArn'] == ARN + 'dead' and str(uuid.UUID(inside['taskId'])) == inside['taskId']
    task = ended(sqs)
    assert task.pop('StartedTimestamp') > 1_000_000_000_000
    assert task == {'Status': 'COMPLETED', 'SourceArn': ARN + 'dead',
                    'ApproximateNumberOfMessagesMoved': 3, 'ApproximateNumberOfMessagesToMove': 3}
    assert [m['Body'] for m in take(sqs, queues['b'])] == ['3']
    got = take(sqs, queues['a'])
    assert [m['Body'] for m in got] == ['1', '2'] and count(sqs, queues['dead']) == 0
    assert {m['Attributes']['ApproximateReceiveCount'] for m in got} == {'1'}


def test_to_another_queue(sqs, queues):  # noqa: F811
    bury(sqs, queues['a'], '1', '2')
    sqs.start_message_move_task(SourceArn=ARN + 'dead', DestinationArn=ARN + 'other')
    task = ended(sqs)
    assert task['DestinationArn'] == ARN + 'other' and 'TaskHandle' not in task
    assert 'MaxNumberOfMessagesPerSecond' not in task
    assert [m['Body'] for m in take(sqs, queues['other'])] == ['1', '2']


def test_rate_and_cancel(sqs, queues):  # noqa: F811
    bury(sqs, queues['a'], *map(str, range(10)))
    handle = sqs.start_message_move_task(SourceArn=ARN + 'dead', DestinationArn=ARN + 'other',
                                         MaxNumberOfMessagesPerSecond=1)['TaskHandle']
    refused(INVALID, 'There is already a task running. Only one active task is allowed for a source queue arn '
            'at a given time.', sqs.start_message_move_task, SourceArn=ARN + 'dead')
    sqs.still.advance(3)
    deadline = time.monotonic() + 20
    while newest(sqs)['ApproximateNumberOfMessagesMoved'] < 4:
        assert time.monotonic() < deadline
    task = newest(sqs)
    assert (task['Status'], task['TaskHandle'], task['MaxNumberOfMessagesPerSecond']) == ('RUNNING', handle, 1)
    assert sqs.cancel_message_move_task(TaskHandle=handle)['ApproximateNumberOfMessagesMoved'] == 4
    sqs.still.advance(100)
    task = newest(sqs)
    assert task['Status'] == 'CANCELLED' and 'TaskHandle' not in task
    assert (count(sqs, queues['dead']), count(sqs, queues['other'])) == (6, 4)


def test_a_destination_that_goes(sqs, queues):  # noqa: F811
    bury(sqs, queues['a'], '1', '2')
    sqs.start_message_move_task(SourceArn=ARN + 'dead', DestinationArn=ARN + 'other',
                                MaxNumberOfMessagesPerSecond=1)
    sqs.delete_queue(QueueUrl=queues['other'])
    sqs.still.advance(5)
    task = ended(sqs)
    assert task['Status'] == 'FAILED'
    assert task['FailureReason'] == 'AWS.SimpleQueueService.NonExistentQueue'
    assert count(sqs, queues['dead']) >= 1


def test_refused(sqs, queues):  # noqa: F811
    start, cancel = sqs.start_message_move_task, sqs.cancel_message_move_task
    gone = "The resource that you specified for the {} parameter doesn't exist."
    refused(INVALID, 'Source queue must be configured as a Dead Letter Queue.', start, SourceArn=ARN + 'a')
    assert refused(MISSING, gone.format('SourceArn'), start, SourceArn=ARN + 'gone') == 404
    assert refused(MISSING, gone.format('DestinationArn'), start, SourceArn=ARN + 'dead',
                   DestinationArn=ARN + 'gone') == 404
    assert refused(MISSING, gone.format('SourceArn'), sqs.list_message_move_tasks, SourceArn=ARN + 'gone') == 404
    refused(INVALID, 'Value for parameter TaskHandle is invalid.', cancel, TaskHandle='foobared')

    def handle(source):
        return base64.b64encode(json.dumps({'taskId': str(uuid.uuid4()), 'sourceArn': source}).encode()).decode()

    assert refused(MISSING, 'Task does not exist.', cancel, TaskHandle=handle(ARN + 'dead')) == 404
    assert refused(MISSING, gone.format('SourceArn'), cancel, TaskHandle=handle(ARN + 'gone')) == 404
    with pytest.raises(ClientError):
        start(SourceArn=ARN + 'dead', MaxNumberOfMessagesPerSecond=501)


def test_no_task(sqs, queues):  # noqa: F811
    assert sqs.list_message_move_tasks(SourceArn=ARN + 'dead').get('Results', []) == []
