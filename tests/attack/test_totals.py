"""Made-up accounts and regions: what all of them together may have is bounded, the refusal is the service's,
what is deleted makes room, and who is there already goes on."""
import pytest
from botocore.exceptions import ClientError

from hostile import FULL

MANY = 20000 if FULL else 40


def account(n):
    return f'{n:012}'


def refused(call, code, **how):
    with pytest.raises(ClientError) as answer:
        call(**how)
    assert answer.value.response['Error']['Code'] == code
    assert 400 <= answer.value.response['ResponseMetadata']['HTTPStatusCode'] < 500


def test_topics_of_all(make_toque):
    t = make_toque(topic_options={'topics_total_max': MANY}).start()
    arns = [t.sns(account=account(n)).create_topic(Name='t')['TopicArn'] for n in range(1, MANY + 1)]
    refused(t.sns(account=account(MANY + 1)).create_topic, 'TopicLimitExceeded', Name='t')
    refused(t.sns(account=account(1)).create_topic, 'TopicLimitExceeded', Name='other')
    assert t.sns(account=account(1)).create_topic(Name='t')['TopicArn'] == arns[0]
    t.sns(account=account(2)).delete_topic(TopicArn=arns[1])
    t.sns(account=account(MANY + 1)).create_topic(Name='t')
    t.sns(account=account(1)).publish(TopicArn=arns[0], Message='m')


def test_accounts_and_regions(make_toque):
    t = make_toque(topic_options={'scopes_max': MANY}).start()
    pairs = [(account(1 + n // 2), ('eu-west-1', 'us-east-1')[n % 2]) for n in range(MANY)]
    arns = [t.sns(account=a, region=r).create_topic(Name='t')['TopicArn'] for a, r in pairs]
    refused(t.sns(account=account(MANY)).create_topic, 'TopicLimitExceeded', Name='t')
    t.sns(account=account(1), region='eu-west-1').create_topic(Name='one-more')
    t.sns(account=pairs[-1][0], region=pairs[-1][1]).delete_topic(TopicArn=arns[-1])
    t.sns(account=account(MANY)).create_topic(Name='t')
    refused(t.sns(account=account(MANY + 1)).create_topic, 'TopicLimitExceeded', Name='t')


def test_subscriptions_of_all(make_toque):
    t = make_toque(topic_options={'subscriptions_total_max': 3}).start()
    topics = [t.sns().create_topic(Name=f't{n}')['TopicArn'] for n in range(2)]
    endpoint = 'arn:aws:sqs:us-east-1:000000000000:q'
    subs = [t.sns().subscribe(TopicArn=topics[n % 2], Protocol='sqs', Endpoint=f'{endpoint}{n}',
                              ReturnSubscriptionArn=True)['SubscriptionArn'] for n in range(3)]
    refused(t.sns().subscribe, 'SubscriptionLimitExceeded', TopicArn=topics[0], Protocol='sqs', Endpoint=endpoint)
    assert t.sns().subscribe(TopicArn=topics[0], Protocol='sqs', Endpoint=f'{endpoint}0',
                             ReturnSubscriptionArn=True)['SubscriptionArn'] == subs[0]
    t.sns().unsubscribe(SubscriptionArn=subs[0])
    t.sns().subscribe(TopicArn=topics[1], Protocol='sqs', Endpoint=endpoint)


def test_queues_of_all(make_toque):
    t = make_toque(queue_options={'queues_max': 5}).start()
    for n in range(5):
        t.sqs(account=account(n + 1)).create_queue(QueueName='q')
    refused(t.sqs(account=account(9)).create_queue, 'OverLimit', QueueName='q')
    t.sqs(account=account(1)).delete_queue(QueueUrl='q')
    t.sqs(account=account(9)).create_queue(QueueName='q')
