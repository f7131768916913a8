"""Regions of other partitions: every ARN that is made has the region's partition, and one that is given
must; calls that nobody signed are made where what they name is."""
import contextlib, http.client, json, urllib.parse

import botocore.exceptions
import pytest

from daemons import ACCOUNT

PARTITIONS = {'cn-northwest-1': 'aws-cn', 'us-gov-west-1': 'aws-us-gov', 'eu-central-1': 'aws',
              'us-iso-east-1': 'aws-iso', 'us-isob-east-1': 'aws-iso-b'}


@pytest.mark.parametrize('region,partition', PARTITIONS.items())
@pytest.mark.parametrize('queueds', [1, 2])
def test_arns(make_toque, region, partition, queueds):
    t = make_toque(queueds=queueds).start()
    sns, sqs = t.sns(region=region), t.sqs(region=region, url=t.topic_url)
    topic = sns.create_topic(Name='t')['TopicArn']
    assert topic == f'arn:{partition}:sns:{region}:{ACCOUNT}:t'
    url = sqs.create_queue(QueueName='q')['QueueUrl']
    assert sqs.list_queues()['QueueUrls'] == [url]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=['QueueArn'])['Attributes']['QueueArn']
    assert arn == f'arn:{partition}:sqs:{region}:{ACCOUNT}:q'
    sub = sns.subscribe(TopicArn=topic, Protocol='sqs', Endpoint=arn)['SubscriptionArn']
    assert sub.startswith(topic + ':')
    sns.publish(TopicArn=topic, Message='hello')
    got = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20)['Messages'][0]
    assert json.loads(got['Body'])['TopicArn'] == topic
    assert sns.get_subscription_attributes(SubscriptionArn=sub)['Attributes'][
        'SubscriptionPrincipal'].startswith(f'arn:{partition}:iam::')
    t.stop()


def refusal(call):
    with pytest.raises(botocore.exceptions.ClientError) as e:
        call()
    return e.value.response['Error']


def test_the_other_partition_is_refused(toque):
    sns = toque.sns(region='cn-northwest-1')
    topic = sns.create_topic(Name='t')['TopicArn']
    wrong = topic.replace('aws-cn', 'aws')
    error = refusal(lambda: sns.publish(TopicArn=wrong, Message='m'))
    assert error['Code'] == 'InvalidParameter'
    assert error['Message'] == ('Invalid parameter: TopicArn Reason: A cn-northwest-1 ARN must begin '
                                f'with arn:aws-cn, not {wrong}')
    error = refusal(lambda: sns.unsubscribe(SubscriptionArn=f'{wrong}:x'))
    assert 'SubscriptionArn Reason: A cn-northwest-1 ARN must begin with arn:aws-cn' in error['Message']
    error = refusal(lambda: sns.subscribe(
        TopicArn=topic, Protocol='sqs', Endpoint=f'arn:aws:sqs:cn-northwest-1:{ACCOUNT}:q'))
    assert error['Message'] == 'Invalid parameter: SQS endpoint ARN'
    assert sns.list_subscriptions()['Subscriptions'] == []


def get(port, **params):
    c = http.client.HTTPConnection('127.0.0.1', port, timeout=30)
    with contextlib.closing(c):
        c.request('GET', '/?' + urllib.parse.urlencode(params))
        answer = c.getresponse()
        return answer.status, answer.read().decode()


def test_unsigned_calls_reach_every_region_and_account(toque):
    sns = toque.sns(region='eu-west-3', account='123456789012')
    topic = sns.create_topic(Name='t')['TopicArn']
    sub = sns.subscribe(TopicArn=topic, Protocol='sqs',
                        Endpoint='arn:aws:sqs:eu-west-3:123456789012:q')['SubscriptionArn']
    status, text = get(toque.topic_port, Action='Unsubscribe', SubscriptionArn=sub)
    assert status == 403 and '<Code>AuthorizationError</Code>' in text
    status, text = get(toque.topic_port, Action='GetTopicAttributes', TopicArn=topic)
    assert status == 200 and topic in text
    status, text = get(toque.topic_port, Action='Publish', TopicArn=topic, Message='m')
    assert status == 200
    # Another topic of it does not become known by being named.
    status, text = get(toque.topic_port, Action='Publish', TopicArn=topic + '2', Message='m')
    assert status == 404
