"""Topics, subscriptions and publishing through boto3: what is answered, what is refused and how."""
import json

import pytest
from botocore.exceptions import ClientError

TOPIC = 'arn:aws:sns:us-east-1:000000000000:t'


@pytest.fixture
def sns(toque):
    client = toque.sns()
    client.sqs = toque.sqs()
    client.toque = toque
    return client


def refused(code, text, call, **parameters):
    with pytest.raises(ClientError) as e:
        call(**parameters)
    error = e.value.response['Error']
    assert (error['Code'], error['Message']) == (code, text)
    return e.value.response['ResponseMetadata']['HTTPStatusCode']


def queue_of(sns, name):
    """A queue: its URL and ARN."""
    url = sns.sqs.create_queue(QueueName=name)['QueueUrl']
    return url, f'arn:aws:sqs:us-east-1:000000000000:{name}'


def subscribe(sns, topic, name, **attributes):
    url, arn = queue_of(sns, name)
    got = sns.subscribe(TopicArn=topic, Protocol='sqs', Endpoint=arn, Attributes=attributes)
    return url, got['SubscriptionArn']


def received(sns, url, wait=2):
    got = sns.sqs.receive_message(QueueUrl=url, WaitTimeSeconds=wait, MaxNumberOfMessages=10,
                                  MessageAttributeNames=['All'], AttributeNames=['All'])
    for m in got.get('Messages', []):
        sns.sqs.delete_message(QueueUrl=url, ReceiptHandle=m['ReceiptHandle'])
    return got.get('Messages', [])


def test_topic_life(sns):
    assert sns.create_topic(Name='t')['TopicArn'] == TOPIC == sns.create_topic(Name='t')['TopicArn']
    got = sns.get_topic_attributes(TopicArn=TOPIC)['Attributes']
    assert sorted(got) == ['DisplayName', 'EffectiveDeliveryPolicy', 'Owner', 'Policy',
                           'SubscriptionsConfirmed', 'SubscriptionsDeleted', 'SubscriptionsPending',
                           'TopicArn']
    assert got['DisplayName'] == '' and got['SubscriptionsConfirmed'] == '0'
    assert json.loads(got['EffectiveDeliveryPolicy'])['http']['defaultHealthyRetryPolicy'][
        'numRetries'] == 3
    statement = json.loads(got['Policy'])['Statement'][0]
    assert statement['Resource'] == TOPIC and statement['Action'][-1] == 'SNS:Publish'
    sns.set_topic_attributes(TopicArn=TOPIC, AttributeName='DisplayName', AttributeValue='Receipts')
    assert sns.create_topic(Name='t')['TopicArn'] == TOPIC
    assert sns.get_topic_attributes(TopicArn=TOPIC)['Attributes']['DisplayName'] == 'Receipts'
    refused('InvalidParameter', 'Invalid parameter: Attributes Reason: Topic already exists with '
            'different attributes', sns.create_topic, Name='t', Attributes={'DisplayName': 'x'})
    assert sns.list_topics()['Topics'] == [{'TopicArn': TOPIC}]
    sns.delete_topic(TopicArn=TOPIC)
    sns.delete_topic(TopicArn=TOPIC)
    assert sns.list_topics()['Topics'] == []
    assert refused('NotFound', 'Topic does not exist', sns.get_topic_attributes,
                   TopicArn=TOPIC) == 404


@pytest.mark.parametrize('name', ['', 'x' * 257, 'a.fifo', 'a:b', 'a b', 'a;', 'a%', 'ü'])
def test_bad_topic_names(sns, name):
    refused('InvalidParameter', 'Invalid parameter: Topic Name', sns.create_topic, Name=name)


def test_topics_in_pages(sns):
    arns = {sns.create_topic(Name=f'n{n:03}')['TopicArn'] for n in range(120)}
    first = sns.list_topics()
    rest = sns.list_topics(NextToken=first['NextToken'])
    assert len(first['Topics']) == 100 and 'NextToken' not in rest
    assert {t['TopicArn'] for t in first['Topics'] + rest['Topics']} == arns


def test_arns(sns):
    text = 'Invalid parameter: TopicArn Reason: An ARN must have at least 6 elements, not {}'
    for arn, n in (('randomstring', 1), ('randomstring:1', 2), ('arn:aws:sns:us-east-1:random', 5)):
        refused('InvalidParameter', text.format(n), sns.publish, TopicArn=arn, Message='m')
        refused('InvalidParameter', text.format(n), sns.subscribe, TopicArn=arn, Protocol='sqs',
                Endpoint='x')
    assert refused('NotFound', 'Topic does not exist', sns.publish, TopicArn=TOPIC,
                   Message='m') == 404
    refused('InvalidParameter', 'Invalid parameter: TopicArn', sns.publish,
            TopicArn='arn:aws:sns:eu-west-1:000000000000:t', Message='m')


def test_subscription_life(sns):
    sns.create_topic(Name='t')
    url, arn = subscribe(sns, TOPIC, 'q')
    assert arn.startswith(TOPIC + ':') and len(arn) == len(TOPIC) + 37
    got = sns.get_subscription_attributes(SubscriptionArn=arn)['Attributes']
    assert sorted(got) == ['ConfirmationWasAuthenticated', 'Endpoint', 'Owner', 'PendingConfirmation',
                           'Protocol', 'RawMessageDelivery', 'SubscriptionArn',
                           'SubscriptionPrincipal', 'TopicArn']
    assert got['RawMessageDelivery'] == 'false' and got['PendingConfirmation'] == 'false'
    assert subscribe(sns, TOPIC, 'q')[1] == arn
    assert subscribe(sns, TOPIC, 'q', FilterPolicyScope='MessageAttributes')[1] == arn
    refused('InvalidParameter', 'Invalid parameter: Attributes Reason: Subscription already exists '
            'with different attributes', sns.subscribe, TopicArn=TOPIC, Protocol='sqs',
            Endpoint=got['Endpoint'], Attributes={'RawMessageDelivery': 'true'})
    listed = sns.list_subscriptions_by_topic(TopicArn=TOPIC)['Subscriptions']
    assert listed == [{'SubscriptionArn': arn, 'Owner': '000000000000', 'Protocol': 'sqs',
                       'Endpoint': got['Endpoint'], 'TopicArn': TOPIC}]
    assert sns.get_topic_attributes(TopicArn=TOPIC)['Attributes']['SubscriptionsConfirmed'] == '1'
    sns.unsubscribe(SubscriptionArn=arn)
    sns.unsubscribe(SubscriptionArn=arn)
    assert sns.list_subscriptions()['Subscriptions'] == []
    assert refused('NotFound', 'Subscription does not exist', sns.set_subscription_attributes,
                   SubscriptionArn=arn, AttributeName='RawMessageDelivery',
                   AttributeValue='true') == 404


def test_refused_subscriptions(sns):
    sns.create_topic(Name='t')
    url, _ = queue_of(sns, 'q')
    refused('InvalidParameter', 'Invalid parameter: Amazon SNS does not support this protocol string: '
            'test-protocol', sns.subscribe, TopicArn=TOPIC, Protocol='test-protocol', Endpoint='x')
    refused('InvalidParameter', 'Invalid parameter: SQS endpoint ARN', sns.subscribe, TopicArn=TOPIC,
            Protocol='sqs', Endpoint=url)
    for protocol, endpoint in (('lambda', 'arn:aws:lambda:us-east-1:000000000000:function:f'),
                               ('http', 'http://example.com/')):
        with pytest.raises(ClientError) as e:
            sns.subscribe(TopicArn=TOPIC, Protocol=protocol, Endpoint=endpoint)
        assert protocol in e.value.response['Error']['Message']
    refused('InvalidParameter', 'Invalid parameter: SubscriptionId', sns.unsubscribe,
            SubscriptionArn=TOPIC)
    refused('InvalidParameter', 'Invalid parameter: SubscriptionArn Reason: An ARN must have at least '
            '6 elements, not 1', sns.unsubscribe, SubscriptionArn='randomstring')


def test_set_subscription_attributes(sns):
    sns.create_topic(Name='t')
    url, arn = subscribe(sns, TOPIC, 'q')

    def put(name, value):
        sns.set_subscription_attributes(SubscriptionArn=arn, AttributeName=name, AttributeValue=value)

    def show():
        return sns.get_subscription_attributes(SubscriptionArn=arn)['Attributes']

    for name, value, text in (
            ('Nonsense', 'x', 'AttributeName'),
            ('RawMessageDelivery', 'test-ValUe', 'RawMessageDelivery: Invalid value [test-ValUe]. Must '
             'be true or false.'),
            ('RawMessageDelivery', '', 'RawMessageDelivery: Invalid value []. Must be true or false.'),
            ('FilterPolicyScope', 'X', 'FilterPolicyScope: Invalid value [X]. Please use either '
             'MessageBody or MessageAttributes'),
            ('FilterPolicy', '{"a":{"b":["c"]}}', 'Filter policy scope MessageAttributes does not '
             'support nested filter policy')):
        with pytest.raises(ClientError) as e:
            put(name, value)
        assert e.value.response['Error']['Message'] == f'Invalid parameter: {text}'
    put('RawMessageDelivery', 'True')
    put('FilterPolicy', '{ "store" : [ "a", 1.50 ] }')
    got = show()
    assert got['RawMessageDelivery'] == 'true' and got['FilterPolicy'] == '{"store":["a",1.50]}'
    assert got['FilterPolicyScope'] == 'MessageAttributes'
    put('FilterPolicyScope', 'MessageBody')
    put('FilterPolicy', '{"a":{"b":["c"]}}')
    assert show()['FilterPolicyScope'] == 'MessageBody'
    put('FilterPolicy', '')
    assert 'FilterPolicy' not in show() and 'FilterPolicyScope' not in show()


def test_wrapped_and_raw(sns):
    sns.create_topic(Name='t')
    wrapped, arn = subscribe(sns, TOPIC, 'wrapped')
    raw, _ = subscribe(sns, TOPIC, 'raw', RawMessageDelivery='true')
    attributes = {'price': {'DataType': 'Number', 'StringValue': '19.12'},
                  'blob': {'DataType': 'Binary', 'BinaryValue': b'\x02\x03\x04'}}
    sent = sns.publish(TopicArn=TOPIC, Message='hällo "<>"\n', Subject='s',
                       MessageAttributes=attributes)
    message = received(sns, wrapped)[0]
    body = json.loads(message['Body'])
    assert list(body) == ['Type', 'MessageId', 'TopicArn', 'Subject', 'Message', 'Timestamp',
                          'SignatureVersion', 'Signature', 'SigningCertURL', 'UnsubscribeURL',
                          'MessageAttributes']
    assert body['MessageId'] == sent['MessageId'] != message['MessageId']
    assert body['Message'] == 'hällo "<>"\n' and body['Subject'] == 's'
    assert body['UnsubscribeURL'].endswith('/?Action=Unsubscribe&SubscriptionArn=' + arn)
    assert body['MessageAttributes'] == {'price': {'Type': 'Number', 'Value': '19.12'},
                                         'blob': {'Type': 'Binary', 'Value': 'AgME'}}
    assert message['Body'].startswith('{\n  "Type" : "Notification",\n  "MessageId" : "')
    assert 'MessageAttributes' not in message
    assert not body['Timestamp'].endswith('.000Z') and len(body['Timestamp']) == 24
    message = received(sns, raw)[0]
    assert message['Body'] == 'hällo "<>"\n' and message['MessageAttributes'] == attributes
    sns.publish(TopicArn=TOPIC, Message='plain')
    assert list(json.loads(received(sns, wrapped)[0]['Body'])) == [
        'Type', 'MessageId', 'TopicArn', 'Message', 'Timestamp', 'SignatureVersion', 'Signature',
        'SigningCertURL', 'UnsubscribeURL']
    got = received(sns, raw)[0]
    assert got['Body'] == 'plain' and 'MessageAttributes' not in got


def test_more_than_ten_attributes_are_not_delivered_raw(sns):
    sns.create_topic(Name='t')
    raw, _ = subscribe(sns, TOPIC, 'raw', RawMessageDelivery='true')
    wrapped, _ = subscribe(sns, TOPIC, 'wrapped')
    sns.publish(TopicArn=TOPIC, Message='m', MessageAttributes={
        f'a{n}': {'DataType': 'String', 'StringValue': 'v'} for n in range(11)})
    assert len(json.loads(received(sns, wrapped)[0]['Body'])['MessageAttributes']) == 11
    assert received(sns, raw, wait=0) == []


def test_message_structure(sns):
    sns.create_topic(Name='t')
    raw, _ = subscribe(sns, TOPIC, 'raw', RawMessageDelivery='true')

    def publish(message):
        return sns.publish(TopicArn=TOPIC, MessageStructure='json', Message=message)

    for message, got in (('{"default":"d","sqs":"s"}', 's'), ('{"default":"d","sqs":{"a":1}}', 'd'),
                         ('{"default":"d","lambda":"x"}', 'd'), ('{"default":"1","default":"2"}', '2')):
        publish(message)
        assert received(sns, raw)[0]['Body'] == got
    text = 'Invalid parameter: Message Structure - '
    for message, why in (('no json', 'JSON message body failed to parse'),
                         ('{"sqs":"s"}', 'No default entry in JSON message body'),
                         ('{"default":{}}', 'No default entry in JSON message body')):
        with pytest.raises(ClientError) as e:
            publish(message)
        assert e.value.response['Error']['Message'] == text + why


def test_refused_publishes(sns):
    sns.create_topic(Name='t')
    p = 'Invalid parameter: '
    for how, text in (
            (dict(Message=''), 'Empty message'), (dict(Message='m', Subject=''), 'Subject'),
            (dict(Message='m', Subject='x' * 101), 'Subject'),
            (dict(Message='m', Subject='a\nb'), 'Subject'),
            (dict(Message='x' * 262145), 'Message too long'),
            (dict(Message='m', MessageDeduplicationId='d'), 'MessageDeduplicationId Reason: The request '
             'includes MessageDeduplicationId parameter that is not valid for this topic type')):
        refused('InvalidParameter', p + text, sns.publish, TopicArn=TOPIC, **how)
    sns.publish(TopicArn=TOPIC, Message='x' * 262144, Subject='x' * 100)
    sns.publish(TargetArn=TOPIC, Message='m', MessageGroupId='g')
    bad = "The message attribute 'a' has an invalid message attribute type, the set of supported type " \
          'prefixes is Binary, Number, and String.'
    for kind in ('String.', 'Stringprefixed', 'number'):
        refused('ParameterValueInvalid', bad, sns.publish, TopicArn=TOPIC, Message='m',
                MessageAttributes={'a': {'DataType': kind, 'StringValue': 'v'}})
    refused('ParameterValueInvalid', "The message attribute 'a' must contain non-empty message "
            "attribute value for message attribute type 'String'.", sns.publish, TopicArn=TOPIC,
            Message='m', MessageAttributes={'a': {'DataType': 'String', 'StringValue': ''}})
    refused('ParameterValueInvalid', "Invalid non-alphanumeric character '#x5E' was found in the "
            'message attribute name. Can only include alphanumeric characters, hyphens, underscores, '
            'or dots.', sns.publish, TopicArn=TOPIC, Message='m',
            MessageAttributes={'a^b': {'DataType': 'String', 'StringValue': 'v'}})


def test_publish_batch(sns):
    sns.create_topic(Name='t')
    raw, _ = subscribe(sns, TOPIC, 'raw', RawMessageDelivery='true')

    def batch(*entries):
        return sns.publish_batch(TopicArn=TOPIC, PublishBatchRequestEntries=list(entries))

    got = batch(*({'Id': f'i{n}', 'Message': f'm{n}'} for n in range(10)))
    assert [e['Id'] for e in got['Successful']] == [f'i{n}' for n in range(10)]
    assert got['Failed'] == []
    assert sorted(m['Body'] for m in received(sns, raw)) == [f'm{n}' for n in range(10)]
    for entries, code, text in (
            ([{'Id': str(n), 'Message': 'm'} for n in range(11)], 'TooManyEntriesInBatchRequest',
             'The batch request contains more entries than permissible.'),
            ([{'Id': 'a', 'Message': 'm'}] * 2, 'BatchEntryIdsNotDistinct',
             'Two or more batch entries in the request have the same Id.'),
            ([{'Id': 'message.id', 'Message': 'm'}], 'InvalidBatchEntryId',
             'The Id of a batch entry in the batch request contains an impermissible character: '
             'message.id'),
            ([{'Id': 'x' * 81, 'Message': 'm'}], 'InvalidBatchEntryId',
             'The Id of a batch entry in the batch request is too long: ' + 'x' * 81),
            ([{'Id': '1', 'Message': 'x' * 262140}, {'Id': '2', 'Message': 'y' * 5}],
             'BatchRequestTooLong',
             'The length of all the messages put together is more than the limit.')):
        with pytest.raises(ClientError) as e:
            batch(*entries)
        assert (e.value.response['Error']['Code'], e.value.response['Error']['Message']) == (code, text)
    assert received(sns, raw, wait=0) == []


def test_a_deleted_queue_hurts_nobody(sns):
    sns.create_topic(Name='t')
    gone, _ = subscribe(sns, TOPIC, 'gone')
    here, _ = subscribe(sns, TOPIC, 'here')
    sns.sqs.delete_queue(QueueUrl=gone)
    sns.publish(TopicArn=TOPIC, Message='m')
    assert json.loads(received(sns, here)[0]['Body'])['Message'] == 'm'
    assert len(sns.list_subscriptions_by_topic(TopicArn=TOPIC)['Subscriptions']) == 2


def test_trace_header_and_group_id_travel(sns):
    sns.create_topic(Name='t')
    url, _ = subscribe(sns, TOPIC, 'q')
    trace = {'X-Amzn-Trace-Id': 'Root=1-5759e988-bd862e3fe1be46a994272793'}
    sns.meta.events.register('before-send.sns.Publish',
                             lambda request, **_: request.headers.update(trace))
    sns.publish(TopicArn=TOPIC, Message='m', MessageGroupId='tenant')
    got = received(sns, url)[0]['Attributes']
    assert got['AWSTraceHeader'] == 'Root=1-5759e988-bd862e3fe1be46a994272793'
    assert got['MessageGroupId'] == 'tenant' and got['SenderId'] == 'AIDAIT2UOQQY3AUEKVGXU'


def test_topics_outlive_the_daemon(sns):
    sns.create_topic(Name='t', Attributes={'DisplayName': 'd'})
    url, arn = subscribe(sns, TOPIC, 'q', FilterPolicy='{"a":["x"]}', RawMessageDelivery='true')
    sns.toque.topicd.kill()
    sns.toque.topicd.start()
    sns.toque.wait_linked()
    assert sns.get_topic_attributes(TopicArn=TOPIC)['Attributes']['DisplayName'] == 'd'
    assert sns.get_subscription_attributes(SubscriptionArn=arn)['Attributes'][
        'FilterPolicy'] == '{"a":["x"]}'
    for value in ('y', 'x'):
        sns.publish(TopicArn=TOPIC, Message=value, MessageAttributes={
            'a': {'DataType': 'String', 'StringValue': value}})
    assert [m['Body'] for m in received(sns, url)] == ['x']


@pytest.mark.parametrize('attributes, digest', [
    ({'attr1': ('Number', '99.12')}, 'd302007e9aa062660afc85fd0a482472'),
    ({'attr1': ('Number', '99.12'), 'attr2': ('Number', '109.12')}, '9b720b3af309c1c4b0d395c53b08c502'),
    ({'attr1': ('Number', '111'), 'attr2': ('Binary', b'\x02\x03\x04')},
     '4889907dc9616d9bda6139205fc380ae')])
def test_digests_of_raw_delivery(sns, attributes, digest):
    sns.create_topic(Name='t')
    url, _ = subscribe(sns, TOPIC, 'raw', RawMessageDelivery='true')
    sns.publish(TopicArn=TOPIC, Message='Gr\u00fc\u00dfe \U0001f600', MessageAttributes={
        name: {'DataType': kind, ('BinaryValue' if kind == 'Binary' else 'StringValue'): value}
        for name, (kind, value) in attributes.items()})
    got = received(sns, url)[0]
    assert got['MD5OfMessageAttributes'] == digest
    assert got['MD5OfBody'] == '0a04968a90b7dd01f77c7f2f348a2f7e'


def test_a_publish_wakes_a_long_poll(sns):
    import threading
    sns.create_topic(Name='t')
    url, _ = subscribe(sns, TOPIC, 'q', RawMessageDelivery='true')
    for door in (sns.toque.queue_url, sns.toque.topic_url):
        got = []
        poll = sns.toque.sqs(url=door)
        thread = threading.Thread(target=lambda: got.append(poll.receive_message(
            QueueUrl=url, WaitTimeSeconds=20)))
        thread.start()
        while sns.toque.page('GET', '/health', door='queued')[1]['waiting'] < 1:
            pass
        sns.publish(TopicArn=TOPIC, Message=door)
        thread.join(15)
        assert [m['Body'] for m in got[0]['Messages']] == [door]
