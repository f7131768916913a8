"""What would be sent by e-mail, SMS, push or to Firehose: accepted, captured, and looked at on pages;
subscriptions that their endpoints confirm; the last messages are kept, also across sudden ends."""
import json, urllib.request

import pytest
from botocore.exceptions import ClientError

from test_sns import TOPIC, queue_of, received, refused, sns  # noqa: F401

P = 'Invalid parameter: '
ROLE = 'arn:aws:iam::000000000000:role/r'
STREAM = 'arn:aws:firehose:us-east-1:000000000000:deliverystream/s'


@pytest.fixture
def topic(sns):
    sns.create_topic(Name='t')
    return sns


def outbox(sns, query='', method='GET'):
    status, answer = sns.toque.page(method, '/_toque/outbox' + query)
    assert status == (200 if method == 'GET' else 204)
    return answer['messages'] if answer else None


def restart(sns):
    sns.toque.topicd.kill()
    sns.toque.topicd.start()
    sns.toque.wait_linked()


def subscribe(sns, protocol, endpoint, **attributes):
    return sns.subscribe(TopicArn=TOPIC, Protocol=protocol, Endpoint=endpoint, Attributes=attributes,
                         ReturnSubscriptionArn=True)['SubscriptionArn']


def shown(sns, arn):
    return sns.get_subscription_attributes(SubscriptionArn=arn)['Attributes']


def counts(sns):
    got = sns.get_topic_attributes(TopicArn=TOPIC)['Attributes']
    return got['SubscriptionsPending'], got['SubscriptionsConfirmed']


# --- SMS and Firehose: confirmed at once -------------------------------------------------------------

def test_sms_by_a_topic(topic):
    arn = subscribe(topic, 'sms', '+1234567890')
    got = shown(topic, arn)
    assert got['PendingConfirmation'] == 'false' and got['ConfirmationWasAuthenticated'] == 'true'
    assert counts(topic) == ('0', '1')
    sent = topic.publish(TopicArn=TOPIC, Message='{"default":"d","sms":"s"}', MessageStructure='json',
                         MessageAttributes={'AWS.SNS.SMS.SenderID': {
                             'DataType': 'String', 'StringValue': 'me'}})
    restart(topic)
    one, = outbox(topic, '?protocol=sms')
    assert one['Message'] == 's' and one['MessageId'] == sent['MessageId']
    assert one['type'] == 'Notification' and one['endpoint'] == one['PhoneNumber'] == '+1234567890'
    assert one['TopicArn'] == TOPIC and one['SubscriptionArn'] == arn
    assert one['MessageAttributes']['AWS.SNS.SMS.SenderID'] == {'DataType': 'String', 'StringValue': 'me'}
    topic.unsubscribe(SubscriptionArn=arn)
    topic.publish(TopicArn=TOPIC, Message='m')
    assert len(outbox(topic)) == 1


def test_sms_by_number(sns):
    sent = sns.publish(PhoneNumber='+1234567890', Message='hello')
    sns.publish(PhoneNumber='+999', Message='other')
    status, answer = sns.toque.page('GET', '/_aws/sns/sms-messages')
    assert status == 200 and answer['region'] == 'us-east-1'
    assert sorted(answer['sms_messages']) == ['+1234567890', '+999']
    one, = answer['sms_messages']['+1234567890']
    assert (one['PhoneNumber'], one['Message'], one['MessageId'], one['TopicArn']) == (
        '+1234567890', 'hello', sent['MessageId'], None)
    query = '?phoneNumber=%2B999'
    assert list(sns.toque.page('GET', '/_aws/sns/sms-messages' + query)[1]['sms_messages']) == ['+999']
    assert sns.toque.page('GET', '/_aws/sns/sms-messages?region=eu-west-1')[1] == {
        'sms_messages': {}, 'region': 'eu-west-1'}
    assert sns.toque.page('DELETE', '/_aws/sns/sms-messages' + query)[0] == 204
    assert list(sns.toque.page('GET', '/_aws/sns/sms-messages')[1]['sms_messages']) == ['+1234567890']
    for number in ('+1a234', 'NAA+15551234567', '+1234567890123456', ''):
        refused('InvalidParameter', f'{P}PhoneNumber Reason: {number} is not valid to publish to',
                sns.publish, PhoneNumber=number, Message='m')
    refused('InvalidParameter', P + 'Message too long', sns.publish, PhoneNumber='+123', Message='x' * 1601)
    sns.publish(PhoneNumber='+123', Message='ü' * 1600)


def test_firehose(topic):
    refused('InvalidParameter', 'Delivery protocol firehose can only be subscribed with subscription role '
            'arn', topic.subscribe, TopicArn=TOPIC, Protocol='firehose', Endpoint=STREAM)
    arn = subscribe(topic, 'firehose', STREAM, SubscriptionRoleArn=ROLE, RawMessageDelivery='true')
    assert shown(topic, arn)['SubscriptionRoleArn'] == ROLE
    assert subscribe(topic, 'firehose', STREAM, SubscriptionRoleArn=ROLE) == arn
    topic.publish(TopicArn=TOPIC, Message='m')
    assert [m['Message'] for m in outbox(topic, '?protocol=firehose')] == ['m']


# --- e-mail: confirmed by its endpoint ---------------------------------------------------------------

@pytest.mark.parametrize('protocol', ['email', 'email-json'])
def test_email(topic, protocol):
    call = dict(TopicArn=TOPIC, Protocol=protocol, Endpoint='a@example.com',
                Attributes={'FilterPolicy': '{"k":["v"]}'})
    assert topic.subscribe(**call)['SubscriptionArn'] == 'pending confirmation'
    listed, = topic.list_subscriptions()['Subscriptions']
    assert listed['SubscriptionArn'] == 'PendingConfirmation' and listed['Endpoint'] == 'a@example.com'
    asked, = outbox(topic)
    assert asked['type'] == 'SubscriptionConfirmation' and asked['protocol'] == protocol
    assert asked['Message'] == (
        f'You have chosen to subscribe to the topic {TOPIC}.\nTo confirm the subscription, visit the '
        'SubscribeURL included in this message.')
    arn, token = asked['SubscriptionArn'], asked['Token']
    assert len(token) == 288 and asked['SubscribeURL'].endswith(
        f'/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token={token}')
    got = shown(topic, arn)
    assert (got['PendingConfirmation'], got['ConfirmationWasAuthenticated']) == ('true', 'false')
    assert counts(topic) == ('1', '0')
    good = {'k': {'DataType': 'String', 'StringValue': 'v'}}
    topic.publish(TopicArn=TOPIC, Message='before', MessageAttributes=good)
    refused('InvalidParameter', P + 'SubscriptionArn Reason: Cannot unsubscribe a subscription that is '
            'pending confirmation', topic.unsubscribe, SubscriptionArn=arn)
    assert topic.subscribe(**call)['SubscriptionArn'] == 'pending confirmation'
    assert [m['Token'] for m in outbox(topic)] == [token, token]
    restart(topic)
    for _ in range(2):
        assert topic.confirm_subscription(TopicArn=TOPIC, Token=token)['SubscriptionArn'] == arn
    got = shown(topic, arn)
    assert (got['PendingConfirmation'], got['ConfirmationWasAuthenticated']) == ('false', 'true')
    assert counts(topic) == ('0', '1') and topic.subscribe(**call)['SubscriptionArn'] == arn
    for text, attributes in (('filtered', {}), ('after', good)):
        topic.publish(TopicArn=TOPIC, Message=text, Subject='s', MessageAttributes=attributes)
    last = outbox(topic, '?protocol=' + protocol)
    assert [m['Message'] for m in last if m['type'] == 'Notification'] == ['after']
    assert last[-1]['Subject'] == 's'


def test_confirmed_and_ended_by_urls(topic):
    """Unsigned, as somebody does who follows the links."""
    arn = subscribe(topic, 'email', 'a@example.com')
    url = outbox(topic)[0]['SubscribeURL']
    answer = urllib.request.urlopen(url, timeout=30).read().decode()
    assert f'<SubscriptionArn>{arn}</SubscriptionArn>' in answer
    got = shown(topic, arn)
    assert (got['PendingConfirmation'], got['ConfirmationWasAuthenticated']) == ('false', 'false')
    end = f'{topic.toque.topic_url}/?Action=Unsubscribe&SubscriptionArn={arn}'
    assert urllib.request.urlopen(end, timeout=30).status == 200
    assert topic.list_subscriptions()['Subscriptions'] == []


def test_authentication_to_unsubscribe(topic):
    arn = subscribe(topic, 'email', 'a@example.com')
    token = outbox(topic)[0]['Token']
    call = dict(TopicArn=TOPIC, Token=token, AuthenticateOnUnsubscribe='true')
    topic.confirm_subscription(**call)
    assert refused('AuthorizationError', 'Subscription already confirmed', topic.confirm_subscription,
                   **call) == 403
    end = f'{topic.toque.topic_url}/?Action=Unsubscribe&SubscriptionArn={arn}'
    with pytest.raises(urllib.error.HTTPError) as e:
        urllib.request.urlopen(end, timeout=30)
    assert e.value.code == 403
    topic.unsubscribe(SubscriptionArn=arn)


def test_wrong_tokens(topic):
    subscribe(topic, 'email', 'a@example.com')
    token = outbox(topic)[0]['Token']
    wrong = ('1' if token[0] == '0' else '0') + token[1:]
    refused('InvalidParameter', P + 'Token', topic.confirm_subscription, TopicArn=TOPIC, Token=wrong)
    refused('InvalidParameter', 'Invalid token', topic.confirm_subscription, TopicArn=TOPIC, Token='x')
    topic.confirm_subscription(TopicArn=TOPIC + 'other', Token=token)


@pytest.mark.parametrize('protocol, endpoint, text', [
    *(('sms', e, f'Invalid SMS endpoint: {e}') for e in ('NAA+15551234567', 'invalid-number', '')),
    *(('email', e, P + 'Email address') for e in ('', 'a', '@b', 'a@', 'a b@c', 'x' * 251 + '@b.c')),
    ('firehose', 'x', P + 'Firehose endpoint ARN')])
def test_refused_endpoints(topic, protocol, endpoint, text):
    refused('InvalidParameter', text, topic.subscribe, TopicArn=TOPIC, Protocol=protocol, Endpoint=endpoint)


@pytest.mark.parametrize('protocol, endpoint', [('sms', '+123123123'), ('email', 'a@b')])
def test_no_raw_delivery(topic, protocol, endpoint):
    refused('InvalidParameter', f'{P}Attributes Reason: Delivery protocol [{protocol}] does not support raw '
            'message delivery.', topic.subscribe, TopicArn=TOPIC, Protocol=protocol, Endpoint=endpoint,
            Attributes={'RawMessageDelivery': 'true'})


def test_large_messages_go_to_few_protocols(topic):
    text = P + 'MaximumMessageSize greater than 262144 bytes is not supported for the following protocol: [{}]'
    put = lambda size: topic.set_topic_attributes(TopicArn=TOPIC, AttributeName='MaximumMessageSize',
                                                  AttributeValue=size)
    subscribe(topic, 'email', 'a@b')
    put('262144')
    refused('InvalidParameter', text.format('email'), put, size='262145')
    arn = topic.create_topic(Name='large', Attributes={'MaximumMessageSize': '1048576'})['TopicArn']
    refused('InvalidParameter', text.format('sms'), topic.subscribe, TopicArn=arn, Protocol='sms',
            Endpoint='+123')
    topic.subscribe(TopicArn=arn, Protocol='sqs', Endpoint=queue_of(topic, 'q')[1])
    topic.publish(TopicArn=arn, Message='x' * 1000000)


# --- the page ----------------------------------------------------------------------------------------

def test_the_last_ones_are_kept(make_toque):
    toque = make_toque(topic_options={'captured_messages_max': 5}).start()
    sns = toque.sns()
    for n in range(8):
        sns.publish(PhoneNumber=f'+10{n % 2}', Message=str(n))
    toque.topicd.kill()
    toque.topicd.start()
    toque.wait_linked()
    page = lambda query='', method='GET': toque.page(method, '/_toque/outbox' + query)
    assert [m['Message'] for m in page()[1]['messages']] == ['3', '4', '5', '6', '7']
    assert page('?limit=2')[1] == {'count': 5, 'messages': page()[1]['messages'][3:]}
    assert [m['Message'] for m in page('?endpoint=%2B101')[1]['messages']] == ['3', '5', '7']
    assert page('?protocol=email')[1] == {'count': 0, 'messages': []}
    assert page('?region=eu-west-1')[1]['count'] == 0
    assert page('?limit=x')[0] == 400
    assert page('?endpoint=%2B101', 'DELETE')[0] == 204
    assert [m['Message'] for m in page()[1]['messages']] == ['4', '6']


def test_many_bytes(make_toque):
    toque = make_toque(topic_options={'captured_bytes_max': '1MiB'}).start()
    sns = toque.sns()
    sns.create_topic(Name='t')
    sns.subscribe(TopicArn=TOPIC, Protocol='sms', Endpoint='+123')
    for n in range(6):
        sns.publish(TopicArn=TOPIC, Message=str(n) * 250000)
    assert [m['Message'][0] for m in toque.page('GET', '/_toque/outbox')[1]['messages']] == list('2345')


def test_queues_beside_captured_ones(topic):
    url, arn = queue_of(topic, 'q')
    topic.subscribe(TopicArn=TOPIC, Protocol='sqs', Endpoint=arn, Attributes={'RawMessageDelivery': 'true'})
    subscribe(topic, 'sms', '+123')
    topic.publish(TopicArn=TOPIC, Message='both')
    assert [m['Body'] for m in received(topic, url)] == ['both'] == [m['Message'] for m in outbox(topic)]
