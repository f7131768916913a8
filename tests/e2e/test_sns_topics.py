"""What is kept with a topic: attributes, permissions, tags, data protection; and fine points of
subscriptions and publishes that real clients met."""
import json, urllib.request

import pytest
from botocore.exceptions import ClientError

from test_refusals import by_json, by_query
from test_sns import TOPIC, received, refused, sns, subscribe  # noqa: F401

DEFAULT_ACTIONS = [f'SNS:{a}' for a in (
    'GetTopicAttributes', 'SetTopicAttributes', 'AddPermission', 'RemovePermission', 'DeleteTopic',
    'Subscribe', 'ListSubscriptionsByTopic', 'Publish')]
OTHER = '123456789012'


def attributes(sns, topic=TOPIC):
    return sns.get_topic_attributes(TopicArn=topic)['Attributes']


def put(sns, name, value):
    sns.set_topic_attributes(TopicArn=TOPIC, AttributeName=name, AttributeValue=value)


def statements(sns):
    return json.loads(attributes(sns)['Policy'])['Statement']


def restart(sns):
    sns.toque.topicd.kill()
    sns.toque.topicd.start()
    sns.toque.wait_linked()


# --- attributes --------------------------------------------------------------------------------------

def test_everything_set_comes_back(sns):
    sns.create_topic(Name='t')
    given = {'DisplayName': 'Receipts', 'KmsMasterKeyId': 'alias/aws/sns', 'SignatureVersion': '2',
             'TracingConfig': 'Active', 'MaximumMessageSize': '1024'}
    for who in ('HTTP', 'SQS', 'Lambda', 'Firehose', 'Application'):
        given |= {f'{who}SuccessFeedbackRoleArn': f'arn:aws:iam::{OTHER}:role/s',
                  f'{who}FailureFeedbackRoleArn': f'arn:aws:iam::{OTHER}:role/f',
                  f'{who}SuccessFeedbackSampleRate': '100'}
    for name, value in given.items():
        put(sns, name, value)
    restart(sns)
    assert given.items() <= attributes(sns).items()
    arn = sns.create_topic(Name='other', Attributes=given)['TopicArn']
    assert given.items() <= attributes(sns, arn).items()
    assert sns.create_topic(Name='other', Attributes={'TracingConfig': 'Active'})['TopicArn'] == arn
    refused('InvalidParameter', 'Invalid parameter: Attributes Reason: Topic already exists with '
            'different attributes', sns.create_topic, Name='other',
            Attributes={'TracingConfig': 'PassThrough'})


@pytest.mark.parametrize('name, value, text', [
    ('TracingConfig', 'X', 'Invalid tracing config value: X'),
    ('SignatureVersion', '3', 'SignatureVersion'),
    ('DisplayName', 'x' * 101, 'DisplayName'),
    *(('MaximumMessageSize', v, f'MaximumMessageSize: {v} is not an integer between 1024 and 1048576 '
       'bytes') for v in ('', '1023', '1048577', '+2000', ' 2000', '2e3')),
    ('SQSSuccessFeedbackSampleRate', '101', 'SQSSuccessFeedbackSampleRate'),
    ('Policy', '{', 'Policy Error: null'),
    ('Policy', '{"Statement":[{"Effect":"Allow","Action":"SNS:Publish"}]}',
     'Policy Error: PrincipalNotFound'),
    ('Policy', '{"Statement":[{"Effect":"Allow","Principal":"*","Action":"sqs:SendMessage"}]}',
     'Policy statement action out of service scope!')])
def test_refused_attributes(sns, name, value, text):
    sns.create_topic(Name='t')
    refused('InvalidParameter', f'Invalid parameter: {text}', put, sns=sns, name=name, value=value)
    refused('InvalidParameter', f'Invalid parameter: Attributes Reason: {text}', sns.create_topic,
            Name='new', Attributes={name: value})


def test_an_unknown_attribute_at_creation(sns):
    refused('InvalidParameter', 'Invalid parameter: Attributes Reason: Unknown attribute Foo',
            sns.create_topic, Name='t', Attributes={'Foo': 'x'})


def test_delivery_policies(sns):
    sns.create_topic(Name='t')
    content = {'defaultRequestPolicy': {'headerContentType': 'application/json'}}
    put(sns, 'DeliveryPolicy', json.dumps({'http': content}))
    got = attributes(sns)
    assert json.loads(got['DeliveryPolicy']) == {'http': {**content, 'disableSubscriptionOverrides': False}}
    effective = json.loads(got['EffectiveDeliveryPolicy'])['http']
    assert effective['defaultRequestPolicy'] == content['defaultRequestPolicy']
    assert effective['defaultHealthyRetryPolicy']['numRetries'] == 3
    three = {'minDelayTarget': 1, 'maxDelayTarget': 5, 'numRetries': 7}
    put(sns, 'DeliveryPolicy', json.dumps({'http': {'defaultHealthyRetryPolicy': three}}))
    got = attributes(sns)
    assert json.loads(got['DeliveryPolicy'])['http']['defaultHealthyRetryPolicy'] == three
    assert json.loads(got['EffectiveDeliveryPolicy'])['http']['defaultHealthyRetryPolicy'] == {
        **three, 'numMaxDelayRetries': 0, 'numNoDelayRetries': 0, 'numMinDelayRetries': 0,
        'backoffFunction': 'linear'}
    put(sns, 'DeliveryPolicy', '{"http":{"defaultHealthyRetryPolicy":null}}')
    assert json.loads(attributes(sns)['DeliveryPolicy']) == {
        'http': {'disableSubscriptionOverrides': False}}
    put(sns, 'DeliveryPolicy', '')
    assert 'DeliveryPolicy' not in attributes(sns)


@pytest.mark.parametrize('name', ['x' * 256, 'A-z_0'])
def test_good_names(sns, name):
    arn = sns.create_topic(Name=name, Attributes={'FifoTopic': 'false'})['TopicArn']
    assert arn == TOPIC[:-1] + name and 'FifoTopic' not in attributes(sns, arn)
    assert sns.create_topic(Name=name)['TopicArn'] == arn


# --- permissions -------------------------------------------------------------------------------------

def test_permissions(sns):
    sns.create_topic(Name='t')
    default, = statements(sns)
    assert default['Action'] == DEFAULT_ACTIONS
    sns.add_permission(TopicArn=TOPIC, Label='one', AWSAccountId=[OTHER], ActionName=['Publish'])
    one = {'Sid': 'one', 'Effect': 'Allow', 'Principal': {'AWS': f'arn:aws:iam::{OTHER}:root'},
           'Action': 'SNS:Publish', 'Resource': TOPIC}
    assert statements(sns) == [default, one]
    refused('InvalidParameter', 'Invalid parameter: Statement already exists', sns.add_permission,
            TopicArn=TOPIC, Label='one', AWSAccountId=[OTHER], ActionName=['Subscribe'])
    sns.add_permission(TopicArn=TOPIC, Label='two', AWSAccountId=[OTHER, '000000000000'],
                       ActionName=['Subscribe', 'Receive'])
    two = statements(sns)[2]
    assert two['Principal'] == {'AWS': [f'arn:aws:iam::{OTHER}:root', 'arn:aws:iam::000000000000:root']}
    assert two['Action'] == ['SNS:Subscribe', 'SNS:Receive']
    restart(sns)
    assert statements(sns) == [default, one, two]
    for label in ('one', 'nobody'):
        sns.remove_permission(TopicArn=TOPIC, Label=label)
        assert statements(sns) == [default, two]
    sns.remove_permission(TopicArn=TOPIC, Label='two')
    assert statements(sns) == [default]


def test_an_own_policy_is_compacted_and_kept(sns):
    sns.create_topic(Name='t')
    own = {'Version': '2012-10-17', 'Statement': {
        'Sid': 's', 'Effect': 'Allow', 'Principal': {'AWS': OTHER}, 'Action': 'sns:Publish',
        'Resource': TOPIC}}
    put(sns, 'Policy', json.dumps(own, indent=3))
    got = attributes(sns)['Policy']
    own['Statement']['Principal']['AWS'] = f'arn:aws:iam::{OTHER}:root'
    assert got == json.dumps(own, separators=(',', ':'))
    sns.add_permission(TopicArn=TOPIC, Label='l', AWSAccountId=[OTHER], ActionName=['publish'])
    assert [s['Sid'] for s in statements(sns)] == ['s', 'l']
    assert statements(sns)[1]['Action'] == 'SNS:Publish'


def test_a_policy_grows_to_a_hundred_statements(sns):
    sns.create_topic(Name='t')
    for n in range(99):
        sns.add_permission(TopicArn=TOPIC, Label=f'l{n}', AWSAccountId=[OTHER], ActionName=['Publish'])
    refused('InvalidParameter', 'Invalid parameter: Policy Error: null', sns.add_permission,
            TopicArn=TOPIC, Label='one more', AWSAccountId=[OTHER], ActionName=['Publish'])
    assert len(statements(sns)) == 100


def test_permissions_in_json(sns):
    port = sns.toque.topic_port
    sns.create_topic(Name='t')
    assert by_json(port, 'AmazonSNS', 'AddPermission', {
        'TopicArn': TOPIC, 'Label': 'l', 'AWSAccountId': [OTHER], 'ActionName': ['Publish']})[0] == 200
    assert statements(sns)[1]['Sid'] == 'l'
    assert by_json(port, 'AmazonSNS', 'RemovePermission', {'TopicArn': TOPIC, 'Label': 'l'})[0] == 200
    assert len(statements(sns)) == 1


# --- data protection ---------------------------------------------------------------------------------

def test_data_protection(sns):
    sns.create_topic(Name='t')
    policy = '{ "Name" : "p",\n"Version":"2021-06-01", "Statement":[] }'
    assert sns.get_data_protection_policy(ResourceArn=TOPIC).get('DataProtectionPolicy', '') == ''
    sns.put_data_protection_policy(ResourceArn=TOPIC, DataProtectionPolicy=policy)
    restart(sns)
    assert sns.get_data_protection_policy(ResourceArn=TOPIC)['DataProtectionPolicy'] == policy
    assert 'DataProtectionPolicy' not in attributes(sns)
    refused('InvalidParameter', 'Invalid parameter: AttributeName', put, sns=sns,
            name='DataProtectionPolicy', value=policy)
    arn = sns.create_topic(Name='other', DataProtectionPolicy=policy)['TopicArn']
    assert sns.get_data_protection_policy(ResourceArn=arn)['DataProtectionPolicy'] == policy
    assert refused('NotFound', 'Topic does not exist', sns.get_data_protection_policy,
                   ResourceArn=TOPIC + 'x') == 404


# --- tags --------------------------------------------------------------------------------------------

def tags(sns, topic=TOPIC):
    return {t['Key']: t['Value'] for t in sns.list_tags_for_resource(ResourceArn=topic)['Tags']}


def as_list(tags):
    return [{'Key': k, 'Value': v} for k, v in tags.items()]


def test_tags(sns):
    sns.create_topic(Name='t')
    assert sns.list_tags_for_resource(ResourceArn=TOPIC)['Tags'] == []
    sns.tag_resource(ResourceArn=TOPIC, Tags=as_list({'a': '1', 'b': '', 'ü=/': 'ß'}))
    sns.tag_resource(ResourceArn=TOPIC, Tags=as_list({'a': '2'}))
    restart(sns)
    assert tags(sns) == {'a': '2', 'b': '', 'ü=/': 'ß'}
    sns.untag_resource(ResourceArn=TOPIC, TagKeys=['a', 'never there'])
    assert tags(sns) == {'b': '', 'ü=/': 'ß'}
    assert 'Tags' not in attributes(sns)
    sns.delete_topic(TopicArn=TOPIC)
    sns.create_topic(Name='t')
    assert sns.list_tags_for_resource(ResourceArn=TOPIC)['Tags'] == []


def test_tags_at_creation(sns):
    given = {'team': 'billing', 'empty': ''}
    sns.create_topic(Name='t', Tags=as_list(given))
    assert tags(sns) == given
    for same in (given, {'team': 'billing'}, {}):
        assert sns.create_topic(Name='t', Tags=as_list(same))['TopicArn'] == TOPIC
    assert sns.create_topic(Name='t')['TopicArn'] == TOPIC
    for other in ({'team': 'sales'}, {'team': 'billing', 'new': '1'}):
        refused('InvalidParameter', 'Invalid parameter: Tags Reason: Topic already exists with different '
                'tags', sns.create_topic, Name='t', Tags=as_list(other))
    assert tags(sns) == given


def test_fifty_tags(sns):
    sns.create_topic(Name='t')
    sns.tag_resource(ResourceArn=TOPIC, Tags=as_list({str(n): '' for n in range(50)}))
    refused('TagLimitExceeded', 'Could not complete request: tag quota of per resource exceeded',
            sns.tag_resource, ResourceArn=TOPIC, Tags=as_list({'one more': ''}))
    sns.tag_resource(ResourceArn=TOPIC, Tags=as_list({'7': 'changed'}))
    assert len(tags(sns)) == 50 and tags(sns)['7'] == 'changed'
    for bad in ('#', 'a\n'):
        with pytest.raises(ClientError) as e:
            sns.tag_resource(ResourceArn=TOPIC, Tags=as_list({bad: ''}))
        assert e.value.response['Error']['Code'] == 'InvalidParameter'


def test_tags_in_json(sns):
    port = sns.toque.topic_port
    sns.create_topic(Name='t')
    assert by_json(port, 'AmazonSNS', 'TagResource', {'ResourceArn': TOPIC, 'Tags': as_list({'a': '1'})}) == (
        200, '{}')
    got = by_json(port, 'AmazonSNS', 'ListTagsForResource', {'ResourceArn': TOPIC})
    assert json.loads(got[1]) == {'Tags': [{'Key': 'a', 'Value': '1'}]}
    assert by_json(port, 'AmazonSNS', 'UntagResource', {'ResourceArn': TOPIC, 'TagKeys': ['a']}) == (200, '{}')
    got = by_query(port, {'Action': 'ListTagsForResource', 'ResourceArn': TOPIC})[1]
    assert '<ListTagsForResourceResult><Tags/>' in got or '<Tags></Tags>' in got


def test_tags_in_a_topology(make_toque, tmp_path):
    file = tmp_path / 'topology.json'
    file.write_text(json.dumps({'topics': [{'Name': 't', 'Tags': as_list({'a': '1'})}]}))
    sns = make_toque(topology=str(file)).start().sns()
    assert tags(sns) == {'a': '1'}


# --- subscriptions and publishes ---------------------------------------------------------------------

@pytest.mark.parametrize('name, text', [
    ('RawMessageDelivery', 'RawMessageDelivery: Invalid value [{}]. Must be true or false.'),
    ('FilterPolicyScope', 'FilterPolicyScope: Invalid value [{}]. Please use either MessageBody or '
     'MessageAttributes')])
def test_a_value_that_is_absent_or_empty(sns, name, text):
    sns.create_topic(Name='t')
    _, arn = subscribe(sns, TOPIC, 'q')
    call = dict(SubscriptionArn=arn, AttributeName=name)
    for more, shown in (({}, 'null'), ({'AttributeValue': ''}, '')):
        refused('InvalidParameter', 'Invalid parameter: ' + text.format(shown),
                sns.set_subscription_attributes, **call, **more)


@pytest.mark.parametrize('region', ['eu-central-1', 'cn-north-1'])
def test_unsubscribe_urls_of_every_region(sns, region):
    toque = sns.toque
    there = toque.sns(region=region)
    there.sqs, there.toque = toque.sqs(region=region), toque
    topic = there.create_topic(Name='t')['TopicArn']
    url = there.sqs.create_queue(QueueName='q')['QueueUrl']
    queue = there.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=['QueueArn'])['Attributes']['QueueArn']
    there.subscribe(TopicArn=topic, Protocol='sqs', Endpoint=queue)
    there.publish(TopicArn=topic, Message='m')
    link = json.loads(received(there, url)[0]['Body'])['UnsubscribeURL']
    with pytest.raises(urllib.error.HTTPError) as e:
        urllib.request.urlopen(link, timeout=30)
    assert e.value.code == 403 and b'<Code>AuthorizationError</Code>' in e.value.read()
    gone = link[:-1] + ('0' if link[-1] != '0' else '1')
    assert urllib.request.urlopen(gone, timeout=30).status == 200


@pytest.mark.parametrize('value', ['a\tb', '\n', 'a\x01', '\x1f'])
def test_a_control_character_keeps_attribute_policies_from_matching(sns, value):
    sns.create_topic(Name='t')
    urls = {name: subscribe(sns, TOPIC, name, **how)[0] for name, how in {
        'everything': {}, 'by-attributes': {'FilterPolicy': '{"k":["v"]}'},
        'by-body': {'FilterPolicy': '{"k":["v"]}', 'FilterPolicyScope': 'MessageBody'}}.items()}
    good = {'k': {'DataType': 'String', 'StringValue': 'v'}}
    bad = {'x': {'DataType': 'String', 'StringValue': value}}
    sns.publish(TopicArn=TOPIC, Message='{"k":"v"}', Subject='bad', MessageAttributes={**good, **bad})
    sns.publish(TopicArn=TOPIC, Message='{"k":"v"}', Subject='good', MessageAttributes=good)
    subjects = {name: sorted(json.loads(m['Body'])['Subject'] for m in received(sns, url))
                for name, url in urls.items()}
    assert subjects == {'everything': ['bad', 'good'], 'by-attributes': ['good'], 'by-body': ['bad', 'good']}


def test_raw_delivery_takes_the_characters_that_sqs_takes(sns):
    sns.create_topic(Name='t')
    raw, _ = subscribe(sns, TOPIC, 'raw', RawMessageDelivery='true')
    for value in ('a\tb', 'a\x01'):
        sns.publish(TopicArn=TOPIC, Message='m', MessageAttributes={
            'x': {'DataType': 'String', 'StringValue': value}})
    got, = received(sns, raw)
    assert got['MessageAttributes']['x']['StringValue'] == 'a\tb'
    assert received(sns, raw, wait=0) == []
