"""Policies of queues with enforce_policies: who is let in, by queued's own endpoint and by topicd's, what
a topic may deliver, and what the log says of a refusal. Off, nothing of it holds."""
import json

import pytest
from botocore.exceptions import ClientError

OWNER, OTHER = '000000000000', '222222222222'
QUEUE = f'arn:aws:sqs:us-east-1:{OWNER}:q'
TOPIC = f'arn:aws:sns:us-east-1:{OWNER}:t'


@pytest.fixture
def enforced(make_toque):
    t = make_toque(queue_options={'enforce_policies': 'true'}).start()
    yield t
    t.stop()


@pytest.fixture(params=[False, True], ids=['queued', 'topicd'])
def sides(enforced, request):
    """The owner's client and another account's, at queued or through topicd."""
    url = enforced.topic_url if request.param else None
    return enforced.sqs(url=url), enforced.sqs(url=url, account=OTHER)


def url_of(sqs):
    return sqs.create_queue(QueueName='q')['QueueUrl']


def set_policy(sqs, *statements):
    sqs.set_queue_attributes(QueueUrl='q', Attributes={'Policy': json.dumps(
        {'Version': '2012-10-17', 'Statement': statements}) if statements else ''})


def statement(effect='Allow', principal='*', action='sqs:*', resource='*', **more):
    return {'Sid': 'S', 'Effect': effect, 'Principal': principal, 'Action': action, 'Resource': resource,
            **more}


def denied(call, why, **parameters):
    with pytest.raises(ClientError) as e:
        call(**parameters)
    error, answer = e.value.response['Error'], e.value.response
    assert answer['ResponseMetadata']['HTTPStatusCode'] == 403
    assert error['Code'] == 'AccessDenied' and error['Message'].endswith(why), error
    return error['Message']


NOBODY = ' because no resource-based policy allows the {} action'


def test_other_accounts_need_a_statement(sides, enforced):
    owner, other = sides
    url = url_of(owner)
    said = denied(other.send_message, NOBODY.format('sqs:sendmessage'), QueueUrl=url, MessageBody='m')
    assert said == (f'User: arn:aws:iam::{OTHER}:root is not authorized to perform: sqs:sendmessage on '
                    f'resource: {QUEUE}' + NOBODY.format('sqs:sendmessage'))
    line = enforced.queued.wait_line('a call is denied by the policy of its queue')
    assert f'queue={QUEUE} account={OTHER} action=SendMessage: no statement allows anything' in line
    owner.add_permission(QueueUrl=url, Label='L', AWSAccountIds=[OTHER], Actions=['SendMessage', 'GetQueueUrl'])
    other.send_message(QueueUrl=url, MessageBody='m')
    other.send_message_batch(QueueUrl=url, Entries=[{'Id': 'a', 'MessageBody': 'n'}])
    assert other.get_queue_url(QueueName='q', QueueOwnerAWSAccountId=OWNER)['QueueUrl'] == url
    denied(other.receive_message, NOBODY.format('sqs:receivemessage'), QueueUrl=url)
    line = enforced.queued.wait_line('action=ReceiveMessage')
    assert 'no statement allows it; ' in line and '(L) comes closest, but it is about other actions' in line
    owner.remove_permission(QueueUrl=url, Label='L')
    denied(other.send_message, NOBODY.format('sqs:sendmessage'), QueueUrl=url, MessageBody='m')
    assert {m['Body'] for m in owner.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10)['Messages']} == {'m', 'n'}


def test_the_owners_alone(sides):
    owner, other = sides
    url = url_of(owner)
    set_policy(owner, statement())
    other.purge_queue(QueueUrl=url)
    other.get_queue_attributes(QueueUrl=url, AttributeNames=['All'])
    for call, more in ((other.delete_queue, {}), (other.list_queue_tags, {}),
                       (other.set_queue_attributes, {'Attributes': {'DelaySeconds': '1'}}),
                       (other.tag_queue, {'Tags': {'a': 'b'}}), (other.untag_queue, {'TagKeys': ['a']}),
                       (other.remove_permission, {'Label': 'S'})):
        denied(call, ' action', QueueUrl=url, **more)
    denied(other.list_message_move_tasks, ' action', SourceArn=QUEUE)
    denied(other.start_message_move_task, ' action', SourceArn=QUEUE)
    assert owner.get_queue_url(QueueName='q')['QueueUrl'] == url


def test_a_deny_is_for_everybody_and_can_be_taken_back(sides):
    owner, other = sides
    url = url_of(owner)
    set_policy(owner, statement(), statement('Deny', action='sqs:SendMessage'), statement('Deny', action='sqs:Set*'))
    for sqs in sides:
        denied(sqs.send_message, ' with an explicit deny in a resource-based policy', QueueUrl=url,
               MessageBody='m')
        sqs.receive_message(QueueUrl=url)
    set_policy(owner)
    owner.send_message(QueueUrl=url, MessageBody='m')


def test_users_of_keys(make_toque, tmp_path):
    keys = tmp_path / 'keys.json'
    keys.write_text(json.dumps({'keys': [
        {'access_key_id': name, 'secret_access_key': name, 'account': account, **more}
        for name, account, more in (('root', OWNER, {}), ('ann', OWNER, {'user': 'ann'}),
                                    ('bob', OTHER, {'user': 'bob'}), ('eve', OTHER, {'user': 'eve'}))]}))
    keys.chmod(0o600)
    options = {'keys': str(keys)}
    t = make_toque(topic_options=options, queue_options={**options, 'enforce_policies': 'true'}).start()
    for address in (None, t.topic_url):
        root, ann, bob, eve = (t.sqs(url=address, account=n, secret=n) for n in ('root', 'ann', 'bob', 'eve'))
        url = url_of(root)
        set_policy(root, statement(principal={'AWS': f'arn:aws:iam::{OTHER}:user/bob'}, action='sqs:SendMessage'),
                   statement('Deny', {'AWS': f'arn:aws:iam::{OWNER}:user/ann'}, 'sqs:SetQueueAttributes'))
        bob.send_message(QueueUrl=url, MessageBody='from bob')
        ann.send_message(QueueUrl=url, MessageBody='from ann')
        assert denied(eve.send_message, NOBODY.format('sqs:sendmessage'), QueueUrl=url, MessageBody='from eve'
                      ).startswith(f'User: arn:aws:iam::{OTHER}:user/eve is not')
        denied(ann.set_queue_attributes, ' with an explicit deny in a resource-based policy', QueueUrl=url,
               Attributes={'Policy': ''})
        root.purge_queue(QueueUrl=url)
    t.stop()


def test_what_a_topic_delivers(enforced):
    sqs, sns = enforced.sqs(), enforced.sns()
    url = url_of(sqs)
    sns.create_topic(Name='t')
    sns.subscribe(TopicArn=TOPIC, Protocol='sqs', Endpoint=QUEUE, Attributes={'RawMessageDelivery': 'true'})
    sns.publish(TopicArn=TOPIC, Message='1')
    line = enforced.queued.wait_line('a delivery is denied by the policy of its queue')
    assert f'queue={QUEUE} topic={TOPIC}: no statement allows anything' in line
    enforced.topicd.wait_line("a delivery failed: the queue's policy does not allow the topic to send")
    service = {'Service': 'sns.amazonaws.com'}
    fine = [statement(principal=service, action='sqs:SendMessage', resource=QUEUE, Condition=c) for c in (
        {'ArnEquals': {'aws:SourceArn': TOPIC}}, {'ArnLike': {'aws:SourceArn': 'arn:aws:sns:*:*:t'}},
        {'StringEquals': {'aws:SourceAccount': OWNER}}, {'Bool': {'aws:SecureTransport': 'true'}})]
    fine += [statement(Condition={'ArnEquals': {'aws:SourceArn': TOPIC}}),
             statement(principal={'AWS': '*'}, action='SQS:Send*')]
    bad = [statement(principal=service, action='sqs:SendMessage', Condition={'ArnEquals': {
               'aws:SourceArn': TOPIC + 'x'}}),
           statement(principal=service, action='sqs:ReceiveMessage'),
           statement(principal={'Service': 's3.amazonaws.com'}),
           statement(principal={'AWS': OWNER}), statement(resource=QUEUE + 'x')]
    for n, one in enumerate(fine):
        set_policy(sqs, one)
        sns.publish(TopicArn=TOPIC, Message=f'fine {n}')
        got = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=10)['Messages']
        assert [m['Body'] for m in got] == [f'fine {n}'], one
    for one in bad:
        set_policy(sqs, one)
        sns.publish(TopicArn=TOPIC, Message='bad')
        enforced.queued.wait_line('a delivery is denied')
    set_policy(sqs, fine[0])
    sns.publish(TopicArn=TOPIC, Message='last')
    got = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=10)['Messages']
    assert [m['Body'] for m in got] == ['last']


def test_off_everything_is_let_in(toque):
    owner, other = toque.sqs(), toque.sqs(account=OTHER)
    url = url_of(owner)
    set_policy(owner, statement('Deny'))
    other.send_message(QueueUrl=url, MessageBody='m')
    assert owner.receive_message(QueueUrl=url)['Messages'][0]['Body'] == 'm'
