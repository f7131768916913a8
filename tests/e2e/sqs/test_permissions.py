"""AddPermission, RemovePermission and the Policy attribute through boto3, in both protocols (see
test_messages.py)."""
import json

import pytest

from test_messages import refused

A, B = '111111111111', '222222222222'
TWICE = 'Value L for parameter Label is invalid. Reason: Already exists.'


@pytest.fixture
def sqs(toque):
    return toque.sqs()


@pytest.fixture
def queue(sqs):
    return sqs.create_queue(QueueName='q')['QueueUrl']


def add(sqs, queue, label='L', accounts=(A,), actions=('ReceiveMessage',)):
    sqs.add_permission(QueueUrl=queue, Label=label, AWSAccountIds=list(accounts), Actions=list(actions))


def policy(sqs, queue):
    answer = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=['Policy'])
    return json.loads(answer['Attributes']['Policy']) if 'Attributes' in answer else None


def statement(label, accounts, actions):
    return {'Sid': label, 'Effect': 'Allow', 'Principal': {'AWS': accounts}, 'Action': actions,
            'Resource': 'arn:aws:sqs:us-east-1:000000000000:q'}


def test_the_form_of_the_policy(sqs, queue):
    add(sqs, queue, accounts=[A, B])
    first = statement('L', [f'arn:aws:iam::{A}:root', f'arn:aws:iam::{B}:root'], 'SQS:ReceiveMessage')
    assert policy(sqs, queue) == {
        'Version': '2008-10-17', 'Id': 'arn:aws:sqs:us-east-1:000000000000:q/SQSDefaultPolicy',
        'Statement': [first]}
    add(sqs, queue, 'M', actions=['SendMessage', 'DeleteMessage', '*'])
    second = statement('M', f'arn:aws:iam::{A}:root', ['SQS:SendMessage', 'SQS:DeleteMessage', 'SQS:*'])
    assert policy(sqs, queue)['Statement'] == [first, second]
    refused('InvalidParameterValue', TWICE, add, sqs=sqs, queue=queue)
    sqs.remove_permission(QueueUrl=queue, Label='L')
    assert policy(sqs, queue)['Statement'] == [second]
    sqs.remove_permission(QueueUrl=queue, Label='M')
    assert policy(sqs, queue) is None


def test_refused(sqs, queue):
    reason = 'Value {} for parameter {} is invalid. Reason: {}'
    add(sqs, queue)
    for label in ('unknown', 'L.'):
        refused('InvalidParameterValue', reason.format(label, 'Label', "can't find label."),
                sqs.remove_permission, QueueUrl=queue, Label=label)
    for label in ('', 'a b', 'x' * 81, 'x.fifo'):
        refused('InvalidParameterValue', reason.format(
            label, 'Label', 'Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 '
            'in length'), add, sqs=sqs, queue=queue, label=label)
    for accounts, shown in (((A, 'x'), f'[{A}, x]'), (('12345678901',), '[12345678901]')):
        refused('InvalidParameterValue', reason.format(shown, 'PrincipalId', 'Unable to verify.'), add,
                sqs=sqs, queue=queue, label='n', accounts=accounts)
    for action, why in (('Nonsense', 'Please refer to the appropriate WSDL for a list of valid actions.'),
                        ('SendMessageBatch', 'Please refer to the appropriate WSDL for a list of valid '
                         'actions.'),
                        ('DeleteQueue', 'Only the queue owner is allowed to invoke this action.'),
                        ('TagQueue', 'Only the queue owner is allowed to invoke this action.')):
        refused('InvalidParameterValue', reason.format(f'SQS:{action}', 'ActionName', why), add, sqs=sqs,
                queue=queue, label='n', actions=['SendMessage', action])
    assert refused('OverLimit', '8 Actions were found, maximum allowed is 7.', add, sqs=sqs, queue=queue,
                   label='n', actions=['SendMessage'] * 8) == 403
    for n in range(19):
        add(sqs, queue, f'label-{n}')
    assert refused('OverLimit', '21 Statements were found, maximum allowed is 20.', add, sqs=sqs,
                   queue=queue, label='n') == 403
    assert len(policy(sqs, queue)['Statement']) == 20


def test_a_policy_is_kept_as_given(sqs, queue):
    given = json.dumps({'Version': '2012-10-17', 'Id': 'mine', 'Statement': {
        'Effect': 'Allow', 'Principal': '*', 'Action': 'sqs:SendMessage', 'Resource': "'$sqs_queue_arn'",
        'Condition': {'ArnEquals': {'aws:SourceArn': "'$sns_topic_arn'"}}}}, indent=1)
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={'Policy': given})
    got = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=['All'])['Attributes']
    assert got['Policy'] == given
    add(sqs, queue)
    assert [s.get('Sid') for s in policy(sqs, queue)['Statement']] == [None, 'L']
    assert policy(sqs, queue)['Id'] == 'mine'
    for bad in ('[]', '{}', '{"Statement":[{"Effect":"Allow"}]}', '{"Version":"2020-01-01","Statement":[]}'):
        refused('InvalidAttributeValue', 'Invalid value for the parameter Policy.',
                sqs.set_queue_attributes, QueueUrl=queue, Attributes={'Policy': bad})
    many = [statement(str(n), '*', 'SQS:*') for n in range(21)]
    assert refused('OverLimit', '21 statements were found in the submitted policy, max allowed is 20',
                   sqs.set_queue_attributes, QueueUrl=queue,
                   Attributes={'Policy': json.dumps({'Statement': many})}) == 403


def test_kept_over_a_kill(toque, sqs, queue):
    add(sqs, queue)
    before = policy(sqs, queue)
    toque.queued.kill()
    toque.queued.start()
    assert policy(sqs, queue) == before
