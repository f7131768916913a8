"""Platform applications, endpoints, push messages, and the SMS actions."""
import json

import pytest
from botocore.exceptions import ClientError

from test_refusals import by_json
from test_sns import TOPIC, refused, sns  # noqa: F401

P = 'Invalid parameter: '
APP = 'arn:aws:sns:us-east-1:000000000000:app/ADM/app'
KEYS = {'PlatformPrincipal': 'p', 'PlatformCredential': 'c'}
NULL = ("1 validation error detected: Value null at 'attributes' failed to satisfy constraint: Member must "
        'not be null')


@pytest.fixture
def app(sns):
    assert make(sns) == APP
    return sns


def make(sns, name='app', platform='ADM', attributes=KEYS):
    return sns.create_platform_application(Name=name, Platform=platform,
                                           Attributes=attributes)['PlatformApplicationArn']


def endpoint(sns, token='t', **more):
    return sns.create_platform_endpoint(PlatformApplicationArn=APP, Token=token, **more)['EndpointArn']


def shown(sns, arn):
    return sns.get_endpoint_attributes(EndpointArn=arn)['Attributes']


def restart(sns):
    sns.toque.topicd.kill()
    sns.toque.topicd.start()
    sns.toque.wait_linked()


# --- applications ------------------------------------------------------------------------------------

def test_applications(app):
    get = lambda: app.get_platform_application_attributes(PlatformApplicationArn=APP)['Attributes']
    assert get() == {'Enabled': 'true'} and make(app) == APP
    app.set_platform_application_attributes(PlatformApplicationArn=APP,
                                            Attributes={'SuccessFeedbackSampleRate': '50'})
    assert make(app, 'other', 'GCM', {'PlatformCredential': 'key'}).endswith(':app/GCM/other')
    restart(app)
    assert get() == {'Enabled': 'true', 'SuccessFeedbackSampleRate': '50'}
    listed = app.list_platform_applications()['PlatformApplications']
    assert listed[0] == {'PlatformApplicationArn': APP, 'Attributes': get()} and len(listed) == 2
    endpoint(app)
    for _ in range(2):
        app.delete_platform_application(PlatformApplicationArn=APP)
    assert refused('NotFound', 'PlatformApplication does not exist',
                   app.get_platform_application_attributes, PlatformApplicationArn=APP) == 404
    assert make(app) == APP
    assert app.list_endpoints_by_platform_application(PlatformApplicationArn=APP)['Endpoints'] == []
    endpoint(app)


@pytest.mark.parametrize('platform, attributes, code, text', [
    ('ADM', {}, 'ValidationError', NULL),
    ('ADM', {'PlatformPrincipal': 'p'}, 'InvalidParameter', P + 'Attributes Reason: PlatformPrincipal '
     'attribute provided without PlatformCredential'),
    ('ADM', {'PlatformCredential': 'p'}, 'InvalidParameter', P + 'Attributes Reason: PlatformCredential '
     'attribute provided without PlatformPrincipal'),
    ('AAA', KEYS, 'InvalidParameter', P + 'Platform Reason: AAA is not supported'),
    ('ADM', {**KEYS, 'X': 'y'}, 'InvalidParameter', P + 'Attributes Reason: Invalid attribute name: X')])
def test_refused_applications(sns, platform, attributes, code, text):
    refused(code, text, make, sns=sns, platform=platform, attributes=attributes)


def test_pages_of_endpoints(app):
    arns = {endpoint(app, str(n)) for n in range(120)}
    first = app.list_endpoints_by_platform_application(PlatformApplicationArn=APP)
    rest = app.list_endpoints_by_platform_application(PlatformApplicationArn=APP, NextToken=first['NextToken'])
    assert len(first['Endpoints']) == 100 and 'NextToken' not in rest
    assert {e['EndpointArn'] for e in first['Endpoints'] + rest['Endpoints']} == arns
    assert first['Endpoints'][0]['Attributes'] == {'Enabled': 'true', 'Token': '0'}


# --- endpoints ---------------------------------------------------------------------------------------

def test_endpoints(app):
    arn = endpoint(app, CustomUserData='parameter', Attributes={'CustomUserData': 'attribute'})
    assert arn.startswith('arn:aws:sns:us-east-1:000000000000:endpoint/ADM/app/') and len(arn) == 88
    assert shown(app, arn) == {'Enabled': 'true', 'Token': 't', 'CustomUserData': 'attribute'}
    assert endpoint(app) == arn == endpoint(app, CustomUserData='attribute')
    exists = (f'{P}Token Reason: Endpoint {arn} already exists with the same Token, but different '
              'attributes.')
    for more in ({'Attributes': {'Enabled': 'false'}}, {'CustomUserData': 'other'}):
        refused('InvalidParameter', exists, endpoint, sns=app, **more)
    put = lambda **a: app.set_endpoint_attributes(EndpointArn=arn, Attributes=a)
    put(Enabled='false')
    restart(app)
    assert shown(app, arn)['Enabled'] == 'false' and endpoint(app, Attributes={'Enabled': 'false'}) == arn
    put(Token='new', Enabled='true')
    assert endpoint(app, 'new') == arn and shown(app, arn)['Token'] == 'new'
    other = endpoint(app)
    assert other != arn
    refused('InvalidParameter', f'{P}Token Reason: Endpoint {other} already exists with the same Token, but '
            'different attributes.', put, Token='t')
    for _ in range(2):
        app.delete_endpoint(EndpointArn=arn)
    assert refused('NotFound', 'Endpoint does not exist', shown, sns=app, arn=arn) == 404
    assert [e['EndpointArn'] for e in app.list_endpoints_by_platform_application(
        PlatformApplicationArn=APP)['Endpoints']] == [other]


def test_refused_endpoints(app):
    arn = endpoint(app)
    put = app.set_endpoint_attributes
    refused('ValidationError', NULL, put, EndpointArn=arn, Attributes={})
    for name in ('PlatformPrincipal', 'PlatformCredential', 'X'):
        refused('InvalidParameter', f'{P}Attributes Reason: Invalid attribute name: {name}', put,
                EndpointArn=arn, Attributes={name: 'x'})
    refused('InvalidParameter', P + 'Attributes Reason: Invalid value for attribute: CustomUserData: must be '
            'at most 2048 bytes long in UTF-8 encoding', put, EndpointArn=arn,
            Attributes={'CustomUserData': 'ü' * 1025})
    for bad in (arn + '/x', arn.rsplit('/', 1)[0], APP):
        refused('InvalidParameter', P + 'EndpointArn Reason: Wrong number of slashes in relative portion of '
                'the ARN.', put, EndpointArn=bad, Attributes={'Enabled': 'true'})
    refused('InvalidParameter', P + 'EndpointArn Reason: An ARN must have at least 6 elements, not 1', put,
            EndpointArn='x', Attributes={'Enabled': 'true'})
    refused('InvalidParameter', P + 'Endpoint Reason: Endpoint does not exist for endpoint ' + arn[:-1] + 'x',
            app.subscribe, TopicArn=app.create_topic(Name='t')['TopicArn'], Protocol='application',
            Endpoint=arn[:-1] + 'x')
    refused('NotFound', 'PlatformApplication does not exist', app.create_platform_endpoint,
            PlatformApplicationArn=APP + 'x', Token='t')


# --- push --------------------------------------------------------------------------------------------

def pushed(sns, query=''):
    status, answer = sns.toque.page('GET', '/_aws/sns/platform-endpoint-messages' + query)
    assert status == 200 and answer['region'] == 'us-east-1'
    return answer['platform_endpoint_messages']


def test_push(app):
    arn = endpoint(app)
    document = '{"ADM":"{\\"data\\":{}}","default":"d"}'
    sent = app.publish(TargetArn=arn, Message=document, MessageStructure='json', MessageAttributes={
        'AWS.SNS.MOBILE.ADM.TTL': {'DataType': 'String', 'StringValue': '60'}})
    app.publish(TargetArn=arn, Message='plain')
    first, second = pushed(app)[arn]
    assert (first['TargetArn'], first['Message'], first['MessageStructure'], first['MessageId']) == (
        arn, document, 'json', sent['MessageId'])
    assert first['Payload'] == '{"data":{}}' and 'AWS.SNS.MOBILE.ADM.TTL' in first['MessageAttributes']
    assert second['Message'] == 'plain' and second['MessageStructure'] is None
    app.publish(TargetArn=arn, Message='{"ADM":"only"}', MessageStructure='json')
    refused('InvalidParameter', P + 'Message Structure - No default entry in JSON message body', app.publish,
            TargetArn=arn, Message='{"GCM":"x"}', MessageStructure='json')
    assert pushed(app, '?endpointArn=x') == {}
    assert app.toque.page('DELETE', '/_aws/sns/platform-endpoint-messages')[0] == 204
    assert pushed(app) == {}


def test_refused_pushes(app):
    arn = endpoint(app)
    no = P + 'TargetArn Reason: No endpoint found for the target arn specified'
    refused('InvalidParameter', no, app.publish, TargetArn=arn[:-1] + 'x', Message='m')
    app.set_endpoint_attributes(EndpointArn=arn, Attributes={'Enabled': 'false'})
    for how in ({}, {'MessageStructure': 'json'}):
        refused('EndpointDisabled', 'Endpoint is disabled', app.publish, TargetArn=arn, Message='{}', **how)
    app.set_platform_application_attributes(PlatformApplicationArn=APP, Attributes={'Enabled': 'false'})
    refused('PlatformApplicationDisabled', 'Platform application is disabled', app.publish, TargetArn=arn,
            Message='m')
    assert pushed(app) == {}


def test_push_by_a_topic(app):
    app.create_topic(Name='t')
    arn = endpoint(app)
    subscription = app.subscribe(TopicArn=TOPIC, Protocol='application', Endpoint=arn)['SubscriptionArn']
    app.publish(TopicArn=TOPIC, Message='{"default":"d","ADM":"a"}', MessageStructure='json')
    one, = pushed(app)[arn]
    assert one['Message'] == 'a' and one['SubscriptionArn'] == subscription
    app.set_endpoint_attributes(EndpointArn=arn, Attributes={'Enabled': 'false'})
    app.publish(TopicArn=TOPIC, Message='lost')
    app.delete_endpoint(EndpointArn=arn)
    app.publish(TopicArn=TOPIC, Message='lost')
    assert len(pushed(app)[arn]) == 1
    listed, = app.list_subscriptions_by_topic(TopicArn=TOPIC)['Subscriptions']
    assert listed['Endpoint'] == arn
    assert app.toque.page('GET', '/health')[1]['failed'] == 2


# --- SMS ---------------------------------------------------------------------------------------------

def test_sms_attributes(sns):
    get = lambda **how: sns.get_sms_attributes(**how)['attributes']
    assert get() == {'MonthlySpendLimit': '1'}
    sns.set_sms_attributes(attributes={'DefaultSMSType': 'Transactional', 'DefaultSenderID': 'me1'})
    restart(sns)
    assert get() == {'MonthlySpendLimit': '1', 'DefaultSMSType': 'Transactional', 'DefaultSenderID': 'me1'}
    assert get(attributes=['DefaultSenderID', 'UsageReportS3Bucket']) == {'DefaultSenderID': 'me1'}
    assert sns.toque.sns(region='eu-west-1').get_sms_attributes()['attributes'] == {'MonthlySpendLimit': '1'}
    for bad in ({'X': 'y'}, {'DefaultSMSType': 'x'}, {'DefaultSenderID': '123'},
                {'DefaultSenderID': 'twelveletter'}, {'MonthlySpendLimit': 'x'},
                {'DeliveryStatusSuccessSamplingRate': '101'}):
        with pytest.raises(ClientError) as e:
            sns.set_sms_attributes(attributes=bad)
        assert e.value.response['Error']['Code'] == 'InvalidParameter'


def test_opting_out(sns):
    checked = lambda n: sns.check_if_phone_number_is_opted_out(phoneNumber=n)['isOptedOut']
    assert checked('+123') is False
    for n in range(120):
        assert sns.toque.page('POST', '/_toque/opted-out', {'phoneNumber': f'+{1000 + n}'})[0] == 200
    restart(sns)
    assert checked('+1000') is True
    first = sns.list_phone_numbers_opted_out()
    rest = sns.list_phone_numbers_opted_out(nextToken=first['nextToken'])
    assert len(first['phoneNumbers']) == 100 and 'nextToken' not in rest
    assert sorted(first['phoneNumbers'] + rest['phoneNumbers']) == [f'+{1000 + n}' for n in range(120)]
    sns.publish(PhoneNumber='+1000', Message='m')
    assert sns.toque.page('GET', '/_toque/outbox')[1]['messages'][0]['type'] == 'OptedOut'
    for number in ('+1000', '+1000', '+99'):
        sns.opt_in_phone_number(phoneNumber=number)
    assert checked('+1000') is False
    for call in (sns.opt_in_phone_number, sns.check_if_phone_number_is_opted_out):
        refused('InvalidParameter', P + 'PhoneNumber Reason: input incorrectly formatted', call,
                phoneNumber='invalid')
    assert sns.toque.page('POST', '/_toque/opted-out', {'phoneNumber': 'x'})[0] == 400


def test_the_sandbox(sns):
    assert sns.get_sms_sandbox_account_status()['IsInSandbox'] is False
    assert sns.list_sms_sandbox_phone_numbers()['PhoneNumbers'] == []
    number = '+12345678'
    sns.create_sms_sandbox_phone_number(PhoneNumber=number, LanguageCode='de-DE')
    listed = lambda: sns.list_sms_sandbox_phone_numbers()['PhoneNumbers']
    assert listed() == [{'PhoneNumber': number, 'Status': 'Pending'}]
    one, = sns.toque.page('GET', '/_toque/outbox?protocol=sms')[1]['messages']
    assert one['type'] == 'OneTimePassword' and one['endpoint'] == number
    password = one['Message'].split()[0]
    wrong = '000000' if password != '000000' else '000001'
    refused('VerificationException', 'The one-time password is not valid.',
            sns.verify_sms_sandbox_phone_number, PhoneNumber=number, OneTimePassword=wrong)
    sns.verify_sms_sandbox_phone_number(PhoneNumber=number, OneTimePassword=password)
    restart(sns)
    assert listed() == [{'PhoneNumber': number, 'Status': 'Verified'}]
    sns.delete_sms_sandbox_phone_number(PhoneNumber=number)
    assert listed() == []
    for call, more in ((sns.delete_sms_sandbox_phone_number, {}),
                       (sns.verify_sms_sandbox_phone_number, {'OneTimePassword': '12345'})):
        assert refused('ResourceNotFound', 'Resource does not exist', call, PhoneNumber=number, **more) == 404
    assert sns.list_origination_numbers()['PhoneNumbers'] == []


def test_in_json(sns):
    port = sns.toque.topic_port
    status, text = by_json(port, 'AmazonSNS', 'CreatePlatformApplication', {
        'Name': 'app', 'Platform': 'ADM', 'Attributes': KEYS})
    assert (status, json.loads(text)) == (200, {'PlatformApplicationArn': APP})
    assert by_json(port, 'AmazonSNS', 'GetSMSAttributes', {}) == (
        200, '{"attributes":{"MonthlySpendLimit":"1"}}')
    assert by_json(port, 'AmazonSNS', 'CheckIfPhoneNumberIsOptedOut', {'phoneNumber': '+123'}) == (
        200, '{"isOptedOut":false}')
