"""Filter policies live: every case of tests/cases/filter through Subscribe (or its refusal, in both
operations), Publish and Receive. A publish is answered when its deliveries are stored, so one look
into the queue right after it is a verdict."""
import base64, json

import pytest
from botocore.exceptions import ClientError

from daemons import ROOT

CASES = [json.loads(line) for name in ('vectors', 'language')
         for line in (ROOT / f'tests/cases/filter/{name}.jsonl').read_text().splitlines()]


def attribute(kind, value):
    if kind.startswith('Binary'):
        return {'DataType': kind, 'BinaryValue': base64.b64decode(value)}
    return {'DataType': kind, 'StringValue': value}


def refused(call, start, case):
    with pytest.raises(ClientError) as e:
        call()
    error = e.value.response['Error']
    assert error['Code'] == 'InvalidParameter', case['id']
    text = error['Message']
    assert text.startswith(f'Invalid parameter: {start}'), (case['id'], text)
    assert case.get('error', '') in text, (case['id'], text)
    return text.removeprefix('Invalid parameter: ')


@pytest.fixture
def bench(toque):
    """A topic and a queue that every case uses anew."""
    toque.sns().create_topic(Name='t')
    url = toque.sqs().create_queue(QueueName='q')['QueueUrl']
    return toque.sns(), toque.sqs(), 'arn:aws:sns:us-east-1:000000000000:t', url


def subscribe(sns, topic, **attributes):
    return sns.subscribe(TopicArn=topic, Protocol='sqs', Attributes=attributes,
                         Endpoint='arn:aws:sqs:us-east-1:000000000000:q')['SubscriptionArn']


def test_every_refusal_in_both_operations(bench):
    sns, sqs, topic, url = bench
    plain = {scope: sns.subscribe(TopicArn=topic, Protocol='sqs', Attributes={'FilterPolicyScope': scope},
                                  Endpoint=f'arn:aws:sqs:us-east-1:000000000000:{scope}')['SubscriptionArn']
             for scope in ('MessageAttributes', 'MessageBody')}
    invalid = [c for c in CASES if c['expect'] == 'invalid']
    assert len(invalid) > 200
    for case in invalid:
        first = refused(lambda: subscribe(sns, topic, FilterPolicy=case['policy'],
                                          FilterPolicyScope=case['scope']),
                        'Attributes Reason: Filter', case)
        later = refused(lambda: sns.set_subscription_attributes(
            SubscriptionArn=plain[case['scope']], AttributeName='FilterPolicy',
            AttributeValue=case['policy']), 'Filter', case)
        assert first == f'Attributes Reason: {later}', case['id']
    assert len(sns.list_subscriptions()['Subscriptions']) == 2


def test_every_verdict(bench):
    sns, sqs, topic, url = bench
    wrong = []
    for case in (c for c in CASES if c['expect'] != 'invalid'):
        arn = subscribe(sns, topic, FilterPolicy=case['policy'], FilterPolicyScope=case['scope'],
                        RawMessageDelivery='false')
        try:
            sns.publish(TopicArn=topic, Message=case.get('body', 'no body'), MessageAttributes={
                name: attribute(*value) for name, value in case.get('attributes', {}).items()})
        except ClientError as e:
            # What the service's own Publish refuses never reaches a filter.
            if e.response['Error']['Code'] not in ('ParameterValueInvalid', 'InvalidParameter'):
                wrong.append((case['id'], str(e)))
            sns.unsubscribe(SubscriptionArn=arn)
            continue
        got = sqs.receive_message(QueueUrl=url).get('Messages', [])
        for m in got:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=m['ReceiptHandle'])
        if ('match' if got else 'no-match') != case['expect']:
            wrong.append((case['id'], case['expect']))
        sns.unsubscribe(SubscriptionArn=arn)
    assert not wrong, wrong


def test_policy_changes_act_at_once(bench):
    sns, sqs, topic, url = bench
    arn = subscribe(sns, topic, FilterPolicy='{"a":["x"]}')

    def delivered(value):
        sns.publish(TopicArn=topic, Message='m', MessageAttributes={
            'a': {'DataType': 'String', 'StringValue': value}})
        got = sqs.receive_message(QueueUrl=url).get('Messages', [])
        for m in got:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=m['ReceiptHandle'])
        return bool(got)

    for policy, x, y in (('{"a":["x"]}', True, False), ('{"a":[{"anything-but":["x"]}]}', False, True),
                         ('', True, True), ('{"a":[{"numeric":[">",1]}]}', False, False)):
        sns.set_subscription_attributes(SubscriptionArn=arn, AttributeName='FilterPolicy',
                                        AttributeValue=policy)
        assert (delivered('x'), delivered('y')) == (x, y), policy


def test_the_body_of_the_protocol_is_filtered(bench):
    sns, sqs, topic, url = bench
    subscribe(sns, topic, FilterPolicy='{"a":["x"]}', FilterPolicyScope='MessageBody',
              RawMessageDelivery='true')
    for message, body in (({'default': '{"a":"x"}', 'sqs': '{"a":"y"}'}, None),
                          ({'default': '{"a":"y"}', 'sqs': '{"a":"x"}'}, '{"a":"x"}')):
        sns.publish(TopicArn=topic, MessageStructure='json', Message=json.dumps(message))
        got = sqs.receive_message(QueueUrl=url).get('Messages', [])
        assert [m['Body'] for m in got] == ([body] if body else [])


def test_a_thousand_policies_one_matches(make_toque):
    toque = make_toque(topic_options={'topic_policies_max': 1000}).start()
    sns, sqs = toque.sns(), toque.sqs()
    topic = sns.create_topic(Name='t')['TopicArn']
    url = sqs.create_queue(QueueName='q')['QueueUrl']
    for n in range(1000):
        sns.subscribe(TopicArn=topic, Protocol='sqs',
                      Endpoint=f'arn:aws:sqs:us-east-1:000000000000:{"q" if n == 617 else f"none-{n}"}',
                      Attributes={'FilterPolicy': json.dumps({'n': [{'numeric': ['=', n]}]})})
    for n in (616, 617, 618):
        sns.publish(TopicArn=topic, Message=str(n), MessageAttributes={
            'n': {'DataType': 'Number', 'StringValue': f'{n}.0'}})
    got = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)['Messages']
    assert [json.loads(m['Body'])['Message'] for m in got] == ['617']
    with pytest.raises(ClientError) as e:
        sns.subscribe(TopicArn=topic, Protocol='sqs', Attributes={'FilterPolicy': '{"a":["b"]}'},
                      Endpoint='arn:aws:sqs:us-east-1:000000000000:one-too-many')
    assert e.value.response['Error']['Code'] == 'FilterPolicyLimitExceeded'
