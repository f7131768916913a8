"""FIFO topics: what they accept, deduplication, sequence numbers, and order to FIFO and standard
queues, also across sudden ends of either daemon."""
import hashlib, json

import pytest
from botocore.exceptions import ClientError

from test_refusals import by_json
from test_sns import refused

TOPIC = 'arn:aws:sns:us-east-1:000000000000:t.fifo'
P = 'Invalid parameter: '


class Rig:
    def __init__(self, toque):
        self.toque, self.sns, self.sqs = toque, toque.sns(), toque.sqs()

    def topic(self, **attributes):
        return self.sns.create_topic(Name='t.fifo', Attributes={'FifoTopic': 'true', **attributes})['TopicArn']

    def subscribe(self, name, topic=TOPIC, **attributes):
        """A queue that gets what the topic gets: its URL."""
        fifo = {'FifoQueue': 'true'} if name.endswith('.fifo') else {}
        url = self.sqs.create_queue(QueueName=name, Attributes=fifo)['QueueUrl']
        self.sns.subscribe(TopicArn=topic, Protocol='sqs', Attributes=attributes,
                           Endpoint=f'arn:aws:sqs:us-east-1:000000000000:{name}')
        return url

    def publish(self, message, group='g', **more):
        return self.sns.publish(TopicArn=TOPIC, Message=message, MessageGroupId=group, **more)

    def received(self, url, n=1):
        """At least n messages, all that a receive gives, deleted."""
        got = []
        while True:
            answer = self.sqs.receive_message(
                QueueUrl=url, WaitTimeSeconds=20 if len(got) < n else 0, MaxNumberOfMessages=10,
                AttributeNames=['All'], MessageAttributeNames=['All'])
            for m in answer.get('Messages', []):
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=m['ReceiptHandle'])
                got.append(m)
            if len(got) >= n and not answer.get('Messages'):
                return got

    def restart(self):
        self.toque.topicd.kill()
        self.toque.topicd.start()
        self.toque.wait_linked()


@pytest.fixture
def rig(toque):
    return Rig(toque)


@pytest.fixture
def still_rig(still):
    return Rig(still)


def attributes(rig):
    return rig.sns.get_topic_attributes(TopicArn=TOPIC)['Attributes']


# --- what they accept --------------------------------------------------------------------------------

def test_attributes(rig):
    assert rig.topic() == TOPIC == rig.topic() == rig.topic(ContentBasedDeduplication='false')
    got = attributes(rig)
    assert got['FifoTopic'] == 'true' and got['ContentBasedDeduplication'] == 'false'
    assert 'FifoThroughputScope' not in got
    refused('InvalidParameter', P + 'Attributes Reason: Topic already exists with different attributes',
            rig.topic, ContentBasedDeduplication='true')
    for name, value in (('ContentBasedDeduplication', 'True'), ('FifoThroughputScope', 'Topic'),
                        ('FifoThroughputScope', 'MessageGroup')):
        rig.sns.set_topic_attributes(TopicArn=TOPIC, AttributeName=name, AttributeValue=value)
    rig.restart()
    got = attributes(rig)
    assert got['ContentBasedDeduplication'] == 'true' and got['FifoThroughputScope'] == 'MessageGroup'
    for name, value, text in (('FifoTopic', 'true', 'AttributeName'), ('FifoTopic', 'false', 'AttributeName'),
                              ('ContentBasedDeduplication', 'x', 'ContentBasedDeduplication'),
                              ('FifoThroughputScope', 'Topic', 'FifoThroughputScope'),
                              ('FifoThroughputScope', 'x', 'FifoThroughputScope')):
        refused('InvalidParameter', P + text, rig.sns.set_topic_attributes, TopicArn=TOPIC,
                AttributeName=name, AttributeValue=value)


def test_a_standard_topic_has_none_of_it(rig):
    arn = rig.sns.create_topic(Name='t', Attributes={'FifoTopic': 'False'})['TopicArn']
    got = rig.sns.get_topic_attributes(TopicArn=arn)['Attributes']
    assert 'FifoTopic' not in got and 'ContentBasedDeduplication' not in got
    for name in ('FifoTopic', 'ContentBasedDeduplication', 'FifoThroughputScope'):
        refused('InvalidParameter', P + 'AttributeName', rig.sns.set_topic_attributes, TopicArn=arn,
                AttributeName=name, AttributeValue='true')


def test_names(rig):
    for name, fifo in (('t', 'true'), ('t.fifo', 'false'), ('.fifo', 'true'), ('t.fifox', 'true')):
        refused('InvalidParameter', P + 'Topic Name', rig.sns.create_topic, Name=name,
                Attributes={'FifoTopic': fifo})
    longest = 'x' * 251 + '.fifo'
    assert rig.sns.create_topic(Name=longest, Attributes={'FifoTopic': 'TRUE'})['TopicArn'].endswith(longest)


def test_subscriptions(rig):
    rig.topic()
    rig.subscribe('q')
    rig.subscribe('q.fifo')
    for protocol, endpoint in (('http', 'http://localhost/'), ('email', 'a@b'), ('sms', '+1234567890'),
                               ('lambda', 'arn:aws:lambda:us-east-1:000000000000:function:f')):
        refused('InvalidParameter', P + f'Invalid protocol type: {protocol}', rig.sns.subscribe,
                TopicArn=TOPIC, Protocol=protocol, Endpoint=endpoint)


def test_a_hundred_subscriptions(rig):
    rig.topic()
    for n in range(100):
        rig.sns.subscribe(TopicArn=TOPIC, Protocol='sqs',
                          Endpoint=f'arn:aws:sqs:us-east-1:000000000000:q{n}')
    assert refused('SubscriptionLimitExceeded', 'Subscription limit exceeded', rig.sns.subscribe,
                   TopicArn=TOPIC, Protocol='sqs',
                   Endpoint='arn:aws:sqs:us-east-1:000000000000:more') == 403


FORM = 'parameter can only include alphanumeric and punctuation characters. 1 to 128 in length'


@pytest.mark.parametrize('ids, text', [
    ({}, 'The MessageGroupId parameter is required for FIFO topics'),
    ({'MessageDeduplicationId': 'd'}, 'The MessageGroupId parameter is required for FIFO topics'),
    ({'MessageGroupId': 'g'}, 'The topic should either have ContentBasedDeduplication enabled or '
     'MessageDeduplicationId provided explicitly'),
    *(({'MessageGroupId': g, 'MessageDeduplicationId': 'd'}, f'The MessageGroupId {FORM}')
      for g in ('', 'a b', 'x' * 129, 'ü')),
    *(({'MessageGroupId': 'g', 'MessageDeduplicationId': d}, f'The MessageDeduplicationId {FORM}')
      for d in ('', 'a b', 'x' * 129))])
def test_refused_ids(rig, ids, text):
    rig.topic()
    refused('InvalidParameter', P + text, rig.sns.publish, TopicArn=TOPIC, Message='m', **ids)
    refused('InvalidParameter', P + text, rig.sns.publish_batch, TopicArn=TOPIC, PublishBatchRequestEntries=[
        {'Id': 'fine', 'Message': 'm', 'MessageGroupId': 'g', 'MessageDeduplicationId': 'd'},
        {'Id': 'bad', 'Message': 'm', **ids}])
    refused('InvalidParameter', P + 'Message Structure - No default entry in JSON message body',
            rig.sns.publish, TopicArn=TOPIC, Message='{}', MessageStructure='json', **ids)


def test_by_target_and_in_json(rig):
    rig.topic(ContentBasedDeduplication='true')
    url = rig.subscribe('q.fifo', RawMessageDelivery='true')
    sent = rig.sns.publish(TargetArn=TOPIC, Message='{"default":"d","sqs":"s"}', MessageStructure='json',
                           MessageGroupId='x' * 128)
    assert len(sent['SequenceNumber']) == 20
    status, text = by_json(rig.toque.topic_port, 'AmazonSNS', 'Publish', {
        'TopicArn': TOPIC, 'Message': 'two', 'MessageGroupId': 'g'})
    assert status == 200 and sorted(json.loads(text)) == ['MessageId', 'SequenceNumber']
    assert json.loads(text)['SequenceNumber'] > sent['SequenceNumber']
    assert sorted(m['Body'] for m in rig.received(url, 2)) == ['s', 'two']


# --- delivery ----------------------------------------------------------------------------------------

def test_what_arrives(rig):
    rig.topic(ContentBasedDeduplication='true')
    urls = {name: rig.subscribe(name, **how) for name, how in {
        'q.fifo': {}, 'raw.fifo': {'RawMessageDelivery': 'true'}, 'q': {},
        'raw': {'RawMessageDelivery': 'true'}}.items()}
    sent = rig.publish('Test single', MessageAttributes={'a': {'DataType': 'String', 'StringValue': 'v'}})
    digest = '2591186cff6c740cb9e0cfce1653a7e6998d57da12e1da13d85344b1c08be4cb'
    got = {name: rig.received(url)[0] for name, url in urls.items()}
    for name in ('q.fifo', 'raw.fifo'):
        of = got[name]['Attributes']
        assert of['MessageGroupId'] == 'g' and of['MessageDeduplicationId'] == digest
        assert of['SequenceNumber'] != sent['SequenceNumber']
    for name in ('q', 'raw'):
        assert not {'MessageGroupId', 'MessageDeduplicationId', 'SequenceNumber'} & got[name]['Attributes'].keys()
    for name in ('q', 'q.fifo'):
        body = json.loads(got[name]['Body'])
        assert list(body) == ['Type', 'MessageId', 'SequenceNumber', 'TopicArn', 'Message', 'Timestamp',
                              'UnsubscribeURL', 'MessageAttributes']
        assert (body['MessageId'], body['SequenceNumber']) == (sent['MessageId'], sent['SequenceNumber'])
    for name in ('raw', 'raw.fifo'):
        assert got[name]['Body'] == 'Test single' and got[name]['MessageAttributes']['a']['StringValue'] == 'v'


def test_a_batch_and_the_same_again(rig):
    rig.topic(ContentBasedDeduplication='true')
    url, plain = rig.subscribe('q.fifo', RawMessageDelivery='true'), rig.subscribe('q')
    entries = [{'Id': str(n), 'Message': f'm{n}', 'MessageGroupId': 'g'} for n in range(9)]
    entries.append({'Id': 'again', 'Message': 'm0', 'MessageGroupId': 'other'})
    first = rig.sns.publish_batch(TopicArn=TOPIC, PublishBatchRequestEntries=entries)
    assert first['Failed'] == [] and [e['Id'] for e in first['Successful']] == [e['Id'] for e in entries]
    numbers = [e['SequenceNumber'] for e in first['Successful'][:9]]
    assert numbers == sorted(set(numbers)) and all(len(n) == 20 for n in numbers)
    assert {**first['Successful'][9], 'Id': '0'} == first['Successful'][0]
    assert [m['Body'] for m in rig.received(url, 9)] == [f'm{n}' for n in range(9)]
    second = rig.sns.publish_batch(TopicArn=TOPIC, PublishBatchRequestEntries=entries)
    assert second['Successful'] == first['Successful']
    rig.publish('last')
    assert [m['Body'] for m in rig.received(url)] == ['last']
    assert len(rig.received(plain, 10)) == 10


def test_filtered_messages_use_their_id(rig):
    rig.topic()
    url = rig.subscribe('q', FilterPolicy='{"a":["x"]}', RawMessageDelivery='true')
    for value in ('y', 'x', 'x'):
        rig.publish(value, MessageDeduplicationId='d', MessageAttributes={
            'a': {'DataType': 'String', 'StringValue': value}})
    rig.publish('last', MessageDeduplicationId='e', MessageAttributes={
        'a': {'DataType': 'String', 'StringValue': 'x'}})
    assert [m['Body'] for m in rig.received(url)] == ['last']


# --- deduplication -----------------------------------------------------------------------------------

def test_the_window(still_rig):
    rig = still_rig
    rig.topic()
    url = rig.subscribe('q', RawMessageDelivery='true')
    first = rig.publish('one', MessageDeduplicationId='d')
    rig.toque.advance(200)
    rig.restart()
    assert rig.publish('two', 'other', MessageDeduplicationId='d')['MessageId'] == first['MessageId']
    rig.toque.advance(99.999)
    again = rig.publish('three', MessageDeduplicationId='d')
    assert (again['MessageId'], again['SequenceNumber']) == (first['MessageId'], first['SequenceNumber'])
    rig.toque.advance(0.001)
    last = rig.publish('four', MessageDeduplicationId='d')
    assert last['MessageId'] != first['MessageId'] and last['SequenceNumber'] > first['SequenceNumber']
    assert sorted(m['Body'] for m in rig.received(url, 2)) == ['four', 'one']


def test_an_explicit_id_beats_the_content(rig):
    rig.topic(ContentBasedDeduplication='true')
    url = rig.subscribe('q.fifo', RawMessageDelivery='true')
    for n in range(3):
        rig.publish('same', MessageDeduplicationId=str(n))
    rig.publish('same')
    rig.publish('other', MessageDeduplicationId=hashlib.sha256(b'same').hexdigest())
    assert [m['Body'] for m in rig.received(url, 4)] == ['same'] * 4


def test_by_group(rig):
    rig.topic(FifoThroughputScope='MessageGroup')
    url = rig.subscribe('q', RawMessageDelivery='true')
    for body, group in (('1', 'a'), ('2', 'b'), ('3', 'a')):
        rig.publish(body, group, MessageDeduplicationId='d')
    assert sorted(m['Body'] for m in rig.received(url, 2)) == ['1', '2']


def test_a_topic_made_anew_has_forgotten(rig):
    for n in range(2):
        rig.topic()
        url = rig.subscribe('q', RawMessageDelivery='true')
        rig.publish(str(n), MessageDeduplicationId='d')
        assert [m['Body'] for m in rig.received(url)] == [str(n)]
        rig.sns.delete_topic(TopicArn=TOPIC)


# --- order -------------------------------------------------------------------------------------------

def test_in_order_across_sudden_ends(rig):
    rig.topic()
    urls = [rig.subscribe(f'q{n}.fifo', RawMessageDelivery='true') for n in range(3)]
    sent, numbers = [], []

    def publish(n):
        numbers.append(rig.publish(f'm{n}', f'g{n % 3}', MessageDeduplicationId=str(n))['SequenceNumber'])
        sent.append(n)

    for n in range(30):
        if n == 10:
            rig.toque.queued.kill()
        if n == 20:
            rig.toque.topicd.kill()
            rig.toque.queued.start()
            rig.toque.topicd.start()
            rig.toque.wait_linked()
        publish(n)
        if n == 5:
            rig.restart()
            publish(5)
    assert len(set(numbers)) == 30 and numbers.count(numbers[5]) == 2
    for url in urls:
        bodies = [m['Body'] for m in rig.received(url, 30)]
        for group in range(3):
            assert [b for b in bodies if int(b[1:]) % 3 == group] == [f'm{n}' for n in range(group, 30, 3)]


def test_a_publish_that_failed_may_be_repeated(make_toque):
    toque = make_toque(topic_options={'outbox_bytes_max': '1MiB'}).start()
    rig = Rig(toque)
    rig.topic()
    url = rig.subscribe('q.fifo', RawMessageDelivery='true')
    toque.queued.kill()
    refused_ids = []
    for n in range(12):
        try:
            rig.publish('x' * 200000, MessageDeduplicationId=str(n))
        except ClientError as e:
            assert e.response['ResponseMetadata']['HTTPStatusCode'] == 503
            refused_ids.append(n)
    assert refused_ids
    toque.queued.start()
    toque.wait_linked()
    for n in refused_ids:
        while toque.page('GET', '/health')[1]['queueds'][0]['outbox_frames']:
            pass
        rig.publish('x' * 200000, MessageDeduplicationId=str(n))
    got = [int(m['Attributes']['MessageDeduplicationId']) for m in rig.received(url, 12)]
    assert sorted(got) == list(range(12))
