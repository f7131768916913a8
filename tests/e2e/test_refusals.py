"""What is refused, and how: every line of the tables is sent in AWS JSON and in the Query protocol,
at both doors, and must have the same status, code and text everywhere."""
import http.client, json, re, urllib.parse

import pytest

JSON = 'application/x-amz-json-1.0'
TOPIC = 'arn:aws:sns:us-east-1:000000000000:'
QUEUE = 'arn:aws:sqs:us-east-1:000000000000:q'
NO_QUEUE = 'The specified queue does not exist.'
NO_QUEUE_QUERY = 'The specified queue does not exist for this wsdl version.'


def call(port, body, headers):
    c = http.client.HTTPConnection('127.0.0.1', port, timeout=30)
    c.request('POST', '/', body, headers)
    answer = c.getresponse()
    text = answer.read().decode()
    c.close()
    return answer, text


# Who calls is somebody of us-east-1.
SIGNED = {'Authorization': 'AWS4-HMAC-SHA256 Credential=test/20260102/us-east-1/sns/aws4_request, '
                           'SignedHeaders=host, Signature=00'}


def by_json(port, service, action, members, **more):
    """Status, the Query code, the shape's last part, the text."""
    answer, text = call(port, json.dumps(members), {
        'X-Amz-Target': f'{service}.{action}', 'Content-Type': JSON, **more})
    assert answer.getheader('Content-Type') == JSON
    if answer.status == 200:
        return 200, text
    got = json.loads(text)
    assert sorted(got) == ['__type', 'message'], got
    code, blame = answer.getheader('x-amzn-query-error').split(';')
    assert blame == 'Sender'
    return answer.status, code, got['__type'].split('#')[1], got['message']


def by_query(port, form, **more):
    answer, text = call(port, urllib.parse.urlencode(form), {
        'Content-Type': 'application/x-www-form-urlencoded', **more})
    assert answer.getheader('Content-Type') == 'text/xml'
    if answer.status == 200:
        return 200, text
    assert '<Error><Type>Sender</Type><Code>' in text, text
    unescape = lambda s: s.replace('&quot;', '"').replace('&lt;', '<').replace('&gt;', '>').replace('&amp;', '&')
    return (answer.status, re.search('<Code>(.*?)</Code>', text)[1],
            unescape(re.search('<Message>(.*?)</Message>', text, re.S)[1]))


# --- SQS ---------------------------------------------------------------------------------------------

SINGULAR = {'AttributeNames': 'AttributeName', 'MessageAttributeNames': 'MessageAttributeName',
            'Attributes': 'Attribute', 'tags': 'Tag', 'Tags': 'Tag', 'TagKeys': 'TagKey', 'AWSAccountIds': 'AWSAccountId', 'MessageAttributes': 'MessageAttribute',
            'MessageSystemAttributes': 'MessageSystemAttribute',
            'StringListValues': 'StringListValue.StringListValue'}


def flat(action, members, prefix=''):
    """The members of a call as the Query protocol of SQS names them."""
    form = {}
    for name, value in members.items():
        wire = prefix + (f'{action}RequestEntry' if name == 'Entries' else SINGULAR.get(name, name))
        if isinstance(value, dict) and name in SINGULAR:
            key, of = ('Key', 'Value') if wire.endswith('Tag') else ('Name', 'Value')
            for n, (k, v) in enumerate(value.items(), 1):
                form[f'{wire}.{n}.{key}'] = k
                inner = v if isinstance(v, dict) else None
                form.update({f'{wire}.{n}.{of}': v} if inner is None else
                            flat(action, inner, f'{wire}.{n}.{of}.'))
        elif isinstance(value, list):
            for n, v in enumerate(value, 1):
                form.update(flat(action, v, f'{wire}.{n}.') if isinstance(v, dict) else {f'{wire}.{n}': v})
        elif value is not None:
            form[wire] = value
    return form


def value(**members):
    return {'MessageBody': 'm', 'MessageAttributes': {'k': members}}


def name(text):
    return {'MessageBody': 'm', 'MessageAttributes': {text: {'DataType': 'String', 'StringValue': 'x'}}}


VALUE = 'InvalidParameterValue', 'InvalidParameterValueException'
MISSING = 'MissingParameter', 'MissingRequiredParameterException'
NAME = 'InvalidAttributeName', 'InvalidAttributeName'
BATCHES = 'SendMessageBatch', 'DeleteMessageBatch', 'ChangeMessageVisibilityBatch'
BAD_ID = ('A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be '
          'at most 80 letters long.')
BAD_NAME = 'Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length'
RESERVED = ("You can't use message attribute names beginning with 'AWS.' or 'Amazon.'. These strings are "
            "reserved for internal use. Additionally, they cannot start or end with '.'.")
BAD_TYPE = ("The type of message (user) attribute 'k' is invalid. You must use only the following supported "
            'type prefixes: Binary, Number, String.')
GROUP = ('Value {} for parameter MessageGroupId is invalid. Reason: MessageGroupId can only include '
         'alphanumeric and punctuation characters. 1 to 128 in length.')
LATER = 'AWS.SimpleQueueService.UnsupportedOperation', 'UnsupportedOperation'


def old(code):
    return f'AWS.SimpleQueueService.{code}', code


# Of a queue that is there; None stands for an input that the Query protocol cannot tell from absence.
SQS = [
    ('CreateQueue', {'QueueName': None}, *MISSING, 'The request must contain the parameter QueueName.'),
    ('CreateQueue', {'QueueName': ''}, *VALUE, 'Queue name cannot be empty'),
    *(('CreateQueue', {'QueueName': n}, *VALUE, BAD_NAME) for n in ('a b', 'a.fifo', 'x' * 81, 'ü')),
    ('CreateQueue', {'QueueName': 'a b', 'tags': {'k': 'v'}}, *VALUE, BAD_NAME),
    ('CreateQueue', {'QueueName': 'a', 'tags': {'k': 'v' * 257}}, *VALUE,
     'Tag values must be between 0 and 256 characters in length.'),
    ('CreateQueue', {'QueueName': 'q', 'tags': {'k': 'v'}}, 'QueueAlreadyExists', 'QueueNameExists',
     'A queue already exists with the same name and a different value for tags'),
    *(('TagQueue', {'Tags': t}, *VALUE, text) for t, text in (
        ({'': 'v'}, 'Tag keys must be between 1 and 128 characters in length.'),
        ({'a;b': 'v'}, 'Tag keys may only contain unicode letters, digits, whitespace, or one of these '
         'symbols: _ . : / = + - @'),
        ({f'k{n}': '' for n in range(51)}, 'Too many tags added for queue q.'))),
    ('TagQueue', {}, *MISSING, 'The request must contain the parameter Tags.'),
    ('AddPermission', {}, *MISSING, 'The request must contain the parameter Label.'),
    ('AddPermission', {'Label': 'L'}, *VALUE,
     'Value [] for parameter PrincipalId is invalid. Reason: Unable to verify.'),
    ('AddPermission', {'Label': 'L', 'AWSAccountIds': ['111111111111']}, *MISSING,
     'The request must contain the parameter Actions.'),
    ('RemovePermission', {}, *MISSING, 'The request must contain the parameter Label.'),
    ('RemovePermission', {'Label': 'L'}, *VALUE,
     "Value L for parameter Label is invalid. Reason: can't find label."),
    ('UntagQueue', {}, *MISSING, 'The request must contain the parameter TagKeys.'),
    *((action, {**more, 'Attributes': {n: 'x'}}, *NAME, text)
      for action, more in (('CreateQueue', {'QueueName': 'a'}), ('SetQueueAttributes', {}))
      for n, text in (('FifoQueue', 'Unknown Attribute FifoQueue.'),
                      ('ContentBasedDeduplication', 'Unknown Attribute ContentBasedDeduplication.'),
                      ('CreatedTimestamp', 'Unknown Attribute CreatedTimestamp.'),
                      ('DeduplicationScope',
                       'You can specify the DeduplicationScope only when FifoQueue is set to true.'),
                      ('FifoThroughputLimit',
                       'You can specify the FifoThroughputLimit only when FifoQueue is set to true.'))),
    ('SetQueueAttributes', {'Attributes': {}}, *MISSING,
     'The request must contain the parameter Attribute.Name.'),
    ('SetQueueAttributes', {'Attributes': {'VisibilityTimeout': ''}}, 'InvalidAttributeValue',
     'InvalidAttributeValue', 'Invalid value for the parameter VisibilityTimeout.'),
    ('GetQueueAttributes', {'AttributeNames': ['All', 'Foobar']}, *NAME, 'Unknown Attribute Foobar.'),
    *(('GetQueueUrl', {'QueueName': n}, *VALUE,
       'Value for parameter QueueName is invalid. Reason: Must specify a queue name.') for n in ('', None)),
    *(('ListQueues', {'MaxResults': n}, *VALUE, 'Value for parameter MaxResults is invalid. Reason: '
       'MaxResults must be an integer between 1 and 1000.') for n in (0, -1, 1001)),
    ('ListQueues', {'NextToken': 'bm9uZQ=='}, *VALUE, 'Invalid or expired next token.'),
    *(('SendMessage', {'MessageBody': b}, *MISSING, 'The request must contain the parameter MessageBody.')
      for b in ('', None)),
    *(('SendMessage', {'MessageBody': 'm', 'MessageGroupId': g}, *VALUE, GROUP.format(g))
      for g in ('', 'a b', 'ü', 'x' * 129)),
    ('SendMessage', {'MessageBody': 'm', 'DelaySeconds': 901}, *VALUE,
     'Value 901 for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900.'),
    *(('SendMessage', name(n), *VALUE, RESERVED) for n in ('.a', 'a.', 'aWs.x', 'AMAZON.x')),
    *(('SendMessage', name(n), *VALUE, 'Message (user) attributes name can only contain upper and lower '
       'score characters, digits, periods, hyphens and underscores. ') for n in ('!', '"', '§', '(', '?')),
    ('SendMessage', name('x' * 257), *VALUE, 'Message (user) attribute name must be shorter than 256 bytes.'),
    *(('SendMessage', value(DataType=t, StringValue='1'), *VALUE, BAD_TYPE)
      for t in ('Invalid', 'string', 'Stringx')),
    ('SendMessage', value(DataType='String', StringValue=''), *VALUE,
     "Message (user) attribute 'k' must contain a non-empty value of type 'String'."),
    ('SendMessage', value(DataType='Binary', BinaryValue=''), *VALUE,
     "Message (user) attribute 'k' must contain a non-empty value of type 'Binary'."),
    ('SendMessage', value(DataType='Number', StringValue='one'), *VALUE,
     "Can't cast the value of message (user) attribute 'k' to a number."),
    ('SendMessage', value(DataType='String', StringListValues=['a']), *LATER,
     'Message attribute list values in SendMessage operation are not supported.'),
    ('SendMessage', {'MessageBody': 'm', 'MessageSystemAttributes': {
        'Foo': {'DataType': 'String', 'StringValue': 'x'}}}, *VALUE,
     "Message system attribute name 'Foo' is invalid."),
    *(('ReceiveMessage', {'MaxNumberOfMessages': n}, *VALUE, f'Value {n} for parameter MaxNumberOfMessages '
       'is invalid. Reason: Must be between 1 and 10, if provided.') for n in (0, -1, 11)),
    *(('ReceiveMessage', {'WaitTimeSeconds': n}, *VALUE, f'Value {n} for parameter WaitTimeSeconds is '
       'invalid. Reason: Must be >= 0 and <= 20, if provided.') for n in (-1, 21)),
    *((action, {'ReceiptHandle': h, 'VisibilityTimeout': 1}, *MISSING,
       'The request must contain the parameter ReceiptHandle.')
      for action in ('DeleteMessage', 'ChangeMessageVisibility') for h in ('', None)),
    *((action, {'ReceiptHandle': 'a"<b', 'VisibilityTimeout': 1}, 'ReceiptHandleIsInvalid',
       'ReceiptHandleIsInvalid', 'The input receipt handle "a"<b" is not a valid receipt handle.')
      for action in ('DeleteMessage', 'ChangeMessageVisibility')),
    ('ChangeMessageVisibility', {'ReceiptHandle': 'x'}, *MISSING,
     'The request must contain the parameter VisibilityTimeout.'),
    ('ChangeMessageVisibility', {'ReceiptHandle': 'x', 'VisibilityTimeout': 43201}, *VALUE,
     'Value 43201 for parameter VisibilityTimeout is invalid. Reason: Must be between 0 and 43200.'),
    *((b, {'Entries': [{'Id': str(n)} for n in range(20)]}, *old('TooManyEntriesInBatchRequest'),
       'Maximum number of entries per request are 10. You have sent 20.') for b in BATCHES),
    *((b, {'Entries': [{'Id': 'fine'}, {'Id': i}]}, *old('InvalidBatchEntryId'), BAD_ID)
      for b in BATCHES for i in ('', 'a:b', 'x' * 100)),
    *((b, {'Entries': [{'Id': 'a'}, {'Id': 'b'}, {'Id': 'a'}]}, *old('BatchEntryIdsNotDistinct'),
       'Id a repeated.') for b in BATCHES),
    *((b, {'Entries': [{'Id': 'a'}, {'ReceiptHandle': 'x', 'MessageBody': 'm'}]}, *MISSING,
       f'The request must contain the parameter {b}RequestEntry.2.Id.') for b in BATCHES),
    ('SendMessageBatch', {'Entries': [{'Id': 'a', 'MessageBody': 'x' * 1048577}]},
     *old('BatchRequestTooLong'),
     'Batch requests cannot be longer than 1048576 bytes. You have sent 1048577 bytes.'),
    ('ListDeadLetterSourceQueues', {'MaxResults': 0}, 'InvalidParameterValue', 'InvalidParameterValueException',
     'Value for parameter MaxResults is invalid. Reason: MaxResults must be an integer between 1 and 1000.'),
    ('NoSuchAction', {}, 'InvalidAction', 'UnknownOperationException',
     'The action NoSuchAction is not valid for this endpoint.'),
    *((a, {}, *MISSING, f'The request must contain the parameter {member}.')
      for a, member in (('StartMessageMoveTask', 'SourceArn'), ('CancelMessageMoveTask', 'TaskHandle'),
                        ('ListMessageMoveTasks', 'SourceArn'))),
]
WITHOUT_QUEUE = ('CreateQueue', 'GetQueueUrl', 'ListQueues', 'NoSuchAction', 'StartMessageMoveTask',
                 'CancelMessageMoveTask', 'ListMessageMoveTasks')


@pytest.fixture
def ports(toque):
    toque.sqs().create_queue(QueueName='q')
    toque.sns().create_topic(Name='t')
    toque.sns().subscribe(TopicArn=TOPIC + 't', Protocol='sqs', Endpoint=QUEUE)
    return toque.queue_ports[0], toque.topic_port


def test_sqs(ports):
    for action, members, code, shape, text in SQS:
        if action not in WITHOUT_QUEUE:
            members = {'QueueUrl': 'q', **members}
        status = 404 if code == 'ReceiptHandleIsInvalid' else 400
        for port in ports:
            assert by_json(port, 'AmazonSQS', action, members) == (status, code, shape, text), (
                action, members)
            form = {'Action': action, **flat(action, members)}
            assert by_query(port, form) == (status, code, text), form


def test_a_missing_queue_comes_first(ports):
    """Before parameters that are missing or wrong, and before what is not done yet."""
    for action in sorted({row[0] for row in SQS} - set(WITHOUT_QUEUE)) + ['PurgeQueue', 'DeleteQueue']:
        for url in ('none', 'http://whatever-incorrect', '', None, QUEUE):
            for port in ports:
                code = 'AWS.SimpleQueueService.NonExistentQueue'
                assert by_json(port, 'AmazonSQS', action, {'QueueUrl': url}) == (
                    400, code, 'QueueDoesNotExist', NO_QUEUE), (action, url)
                form = {'Action': action, 'Version': '2012-11-05',
                        **({} if url is None else {'QueueUrl': url})}
                assert by_query(port, form) == (400, code, NO_QUEUE_QUERY), form


def test_empty_batches(ports):
    for action in BATCHES:
        text = f'There should be at least one {action}RequestEntry in the request.'
        code, shape = old('EmptyBatchRequest')
        for port in ports:
            assert by_json(port, 'AmazonSQS', action, {'QueueUrl': 'q', 'Entries': []}) == (
                400, code, shape, text)
            for more in ({}, {f'{action}RequestEntry': ''}):
                assert by_query(port, {'Action': action, 'QueueUrl': 'q', **more}) == (400, code, text)


def test_half_a_surrogate_pair_is_no_character(ports):
    body = {'QueueUrl': 'q', 'MessageBody': '\ud800'}
    assert by_json(ports[0], 'AmazonSQS', 'SendMessage', body)[1] == 'InvalidMessageContents'
    body = {'QueueUrl': 'q', **value(DataType='String', StringValue='\udc00')}
    assert by_json(ports[0], 'AmazonSQS', 'SendMessage', body)[1] == 'InvalidParameterValue'


def test_waiting_rules(make_toque):
    still = make_toque(clock='manual', queue_options={'strict_waits': 'true'}).start()
    port = still.queue_ports[0]
    still.sqs().create_queue(QueueName='q')
    wait = ('You must wait 60 seconds after deleting a queue before you can create another with the same '
            'name.')
    purge = 'Only one PurgeQueue operation on q is allowed every 60 seconds.'
    for action, members, refused, status, code, text in (
            ('PurgeQueue', {'QueueUrl': 'q'}, 'PurgeQueue', 403, 'PurgeQueueInProgress', purge),
            ('DeleteQueue', {'QueueUrl': 'q'}, 'CreateQueue', 400, 'QueueDeletedRecently', wait)):
        assert by_json(port, 'AmazonSQS', action, members)[0] == 200
        again = members if refused == action else {'QueueName': 'q'}
        still.advance(59)
        for at in (port, still.topic_port):
            assert by_json(at, 'AmazonSQS', refused, again) == (status, *old(code), text)
            assert by_query(at, {'Action': refused, **again}) == (status, old(code)[0], text)
        still.advance(1)
        assert by_json(port, 'AmazonSQS', refused, again)[0] == 200


def test_without_waiting_rules(toque):
    sqs = toque.sqs()
    for _ in range(2):
        url = sqs.create_queue(QueueName='q')['QueueUrl']
        sqs.purge_queue(QueueUrl=url)
        sqs.purge_queue(QueueUrl=url)
        sqs.delete_queue(QueueUrl=url)


# --- SNS ---------------------------------------------------------------------------------------------


def entries(members, prefix=''):
    """The members of a call as the Query protocol of SNS names them."""
    form = {}
    for name_, v in members.items():
        at = prefix + name_
        if isinstance(v, dict):
            key, of = ('Name', 'Value') if name_ == 'MessageAttributes' else ('key', 'value')
            for n, (k, w) in enumerate(v.items(), 1):
                form[f'{at}.entry.{n}.{key}'] = k
                form.update(entries(w, f'{at}.entry.{n}.{of}.') if isinstance(w, dict) else
                            {f'{at}.entry.{n}.{of}': w})
        elif isinstance(v, list):
            for n, w in enumerate(v, 1):
                form.update(entries(w, f'{at}.member.{n}.') if isinstance(w, dict) else {f'{at}.member.{n}': w})
            form.update({} if v else {at: ''})
        elif v is not None:
            form[at] = v
    return form


INVALID = 'InvalidParameter', 'InvalidParameterException', 400, 'Invalid parameter: '
ATTRIBUTE = 'ParameterValueInvalid', 'InvalidParameterValueException', 400, ''
NO_TOPIC = 'NotFound', 'NotFoundException', 404, ''
UNSUPPORTED = 'UnsupportedOperation', 'UnsupportedOperationException', 400, ''
OF_TOPIC = ('GetTopicAttributes', 'SetTopicAttributes', 'DeleteTopic', 'Subscribe', 'Publish', 'PublishBatch',
            'ListSubscriptionsByTopic', 'AddPermission', 'RemovePermission')
FILLED = {'AttributeName': 'DisplayName', 'Protocol': 'nonsense', 'Endpoint': 'x', 'Message': '',
          'PublishBatchRequestEntries': [{'Id': 'a', 'Message': ''}]}
SHORT = '{} Reason: An ARN must have at least 6 elements, not {}'


def message(**attribute):
    return {'TopicArn': TOPIC + 't', 'Message': 'm', 'MessageAttributes': {'a': attribute}}


def batch(*items):
    return {'TopicArn': TOPIC + 't', 'PublishBatchRequestEntries': list(items)}


def subscribing(**more):
    return {'TopicArn': TOPIC + 't', 'Protocol': 'sqs', 'Endpoint': QUEUE, **more}


SNS = [
    *((a, {**FILLED, 'TopicArn': arn}, *INVALID, SHORT.format('TopicArn', n)) for a in OF_TOPIC
      for arn, n in (('', 1), ('randomstring', 1), ('randomstring:1', 2), ('arn:aws:sns:us-east-1:x', 5))),
    *((a, {**FILLED, 'TopicArn': 'arn:aws:sns:eu-west-1:000000000000:t'}, *INVALID, 'TopicArn')
      for a in OF_TOPIC),
    *((a, {**FILLED, 'TopicArn': TOPIC + 'none'}, *NO_TOPIC, 'Topic does not exist')
      for a in OF_TOPIC if a != 'DeleteTopic'),
    *((a, FILLED, *INVALID, 'TopicArn Reason: no value for required parameter')
      for a in OF_TOPIC if a != 'Publish'),
    ('Publish', FILLED, *INVALID, 'TopicArn or TargetArn Reason: no value for required parameter'),
    *((a, {'ResourceArn': TOPIC + 'none'}, 'ResourceNotFound', 'ResourceNotFoundException', 404, '',
       'Resource does not exist') for a in ('TagResource', 'UntagResource', 'ListTagsForResource')),
    *((a, m, 'ValidationError', 'ValidationException', 400, '',
       "1 validation error detected: Value null at 'attributes' failed to satisfy constraint: Member must not "
       'be null') for a, m in (('CreatePlatformApplication', {'Name': 'n', 'Platform': 'ADM'}),
                               ('SetEndpointAttributes', {'EndpointArn': TOPIC + 'endpoint/ADM/a/b'}),
                               ('SetSMSAttributes', {}))),
    ('CreatePlatformApplication', {'Name': 'n', 'Platform': 'AAA', 'Attributes': {'PlatformCredential': 'c'}},
     *INVALID, 'Platform Reason: AAA is not supported'),
    ('GetPlatformApplicationAttributes', {'PlatformApplicationArn': TOPIC + 'app/ADM/none'}, 'NotFound',
     'NotFoundException', 404, '', 'PlatformApplication does not exist'),
    ('GetEndpointAttributes', {'EndpointArn': TOPIC + 'endpoint/ADM/a/b'}, 'NotFound', 'NotFoundException', 404,
     '', 'Endpoint does not exist'),
    ('OptInPhoneNumber', {'phoneNumber': 'invalid'}, *INVALID, 'PhoneNumber Reason: input incorrectly formatted'),
    ('CreateTopic', {'Name': 't', 'Tags': [{'Key': 'k', 'Value': 'v'}]}, *INVALID,
     'Tags Reason: Topic already exists with different tags'),
    *((a, {**m, 'Tags': [{'Key': 'k', 'Value': 'v'}, {'Key': 'k', 'Value': 'w'}]}, *INVALID,
       'Duplicated keys are not allowed.') for a, m in (('CreateTopic', {'Name': 'new'}),
                                                        ('TagResource', {'ResourceArn': TOPIC + 't'}))),
    ('TagResource', {'ResourceArn': TOPIC + 't', 'Tags': [{'Key': str(n), 'Value': ''} for n in range(51)]},
     'TagLimitExceeded', 'TagLimitExceededException', 400, '',
     'Could not complete request: tag quota of per resource exceeded'),
    ('TagResource', {'ResourceArn': TOPIC + 't', 'Tags': [{'Value': 'v'}]}, 'ValidationError',
     'ValidationException', 400, '', "1 validation error detected: Value null at 'tags.1.member.key' failed "
     'to satisfy constraint: Member must not be null'),
    *(('AddPermission', {'TopicArn': TOPIC + 't', 'Label': 'l', 'AWSAccountId': [who], 'ActionName': [what]},
       *INVALID, text) for who, what, text in (
           ('1', 'Publish', 'Policy Error: PrincipalNotFound'),
           ('123456789012', 'SNS:Publish', 'Policy statement action out of service scope!'),
           ('123456789012', 'Send', 'Policy statement action out of service scope!'))),
    *(('AddPermission', {'TopicArn': TOPIC + 't', 'Label': 'l', 'AWSAccountId': ['123456789012'],
                         'ActionName': ['Publish'], n: None}, *INVALID,
       f'{n} Reason: no value for required parameter') for n in ('Label', 'AWSAccountId', 'ActionName')),
    ('RemovePermission', {'TopicArn': TOPIC + 't', 'Label': '__default_statement_ID'}, *INVALID,
     '__default_statement_ID Reason: Policy must include at least one statement'),
    *(('PutDataProtectionPolicy', {'ResourceArn': TOPIC + 't', 'DataProtectionPolicy': p}, *INVALID,
       'DataProtectionPolicy') for p in ('no json', '[]', '{"a":"' + 'x' * 30720 + '"}')),
    *(('CreateTopic', {'Name': n, 'Attributes': {'FifoTopic': f}}, *INVALID, 'Topic Name')
      for n, f in (('t', 'true'), ('t.fifo', 'false'))),
    *(('SetTopicAttributes', {'TopicArn': TOPIC + 't', 'AttributeName': n, 'AttributeValue': 'x'}, *INVALID,
       'AttributeName') for n in ('Foo', 'FifoTopic', 'Owner', '')),
    ('Subscribe', subscribing(Protocol='test-protocol'), *INVALID,
     'Amazon SNS does not support this protocol string: test-protocol'),
    *(('Subscribe', subscribing(Endpoint=e), *INVALID, 'SQS endpoint ARN')
      for e in ('http://127.0.0.1/000000000000/q', '', 'arn:aws:lambda:us-east-1:000000000000:q')),
    ('Subscribe', subscribing(Endpoint=QUEUE + '.fifo'), *INVALID, 'Invalid parameter: Endpoint Reason: FIFO '
     'SQS Queues can not be subscribed to standard SNS topics'),
    *(('Subscribe', subscribing(Protocol='sms', Endpoint=e), 'InvalidParameter', 'InvalidParameterException',
       400, '', f'Invalid SMS endpoint: {e}') for e in ('NAA+15551234567', 'invalid-number')),
    ('Subscribe', subscribing(Protocol='application', Endpoint=TOPIC + 'endpoint/GCM/a/b'), *INVALID,
     f'Endpoint Reason: Endpoint does not exist for endpoint {TOPIC}endpoint/GCM/a/b'),
    *(('Subscribe', subscribing(Protocol=p, Endpoint=e), *UNSUPPORTED,
       f'Subscriptions with the protocol {p} are not implemented.')
      for p, e in (('http', 'http://x'), ('lambda', 'x'))),
    *(('Subscribe', subscribing(Protocol=p, Endpoint='x', Attributes={'FilterPolicy': '{"k":[]}'}), *INVALID,
       'Attributes Reason: FilterPolicy: Empty arrays are not allowed\n at [Source: (String)"{"k":[]}"; line: 1, '
       'column: 8]') for p in ('sqs', 'http', 'email', 'lambda', 'nonsense')),
    *(('Publish', {'TopicArn': TOPIC + 't', 'Message': 'm', 'MessageAttributes': {
        'a': {'DataType': t, 'StringValue': '\U0001f600'}}}, *INVALID,
       'Invalid attribute value was passed in for message attribute a') for t in ('String', 'String.Array')),
    *(('Subscribe', subscribing(Attributes={'RawMessageDelivery': v}), *INVALID,
       f'Attributes Reason: RawMessageDelivery: Invalid value [{v}]. Must be true or false.')
      for v in ('', 'test-ValUe')),
    ('Subscribe', subscribing(Attributes={'RedrivePolicy': '{"deadLetterTargetArn":"fake-arn"}'}), *INVALID,
     'Attributes Reason: RedrivePolicy: deadLetterTargetArn is an invalid arn'),
    *((a, {'SubscriptionArn': arn}, *INVALID, text)
      for a in ('Unsubscribe', 'GetSubscriptionAttributes', 'SetSubscriptionAttributes')
      for arn, text in (('', SHORT.format('SubscriptionArn', 1)),
                        ('pending confirmation', SHORT.format('SubscriptionArn', 1)),
                        ('arn:aws:sns:us-east-1:random', SHORT.format('SubscriptionArn', 5)),
                        (TOPIC + 't', 'SubscriptionId'),
                        (None, 'SubscriptionArn Reason: no value for required parameter'))),
    *(('ConfirmSubscription', {'TopicArn': arn, 'Token': 'x'}, *INVALID, 'Topic')
      for arn in (None, 'x', 'arn:aws:sns:eu-west-1:000000000000:t')),
    ('ConfirmSubscription', {'TopicArn': TOPIC + 't', 'Token': 'x'}, *INVALID, 'Token'),
    ('Publish', {'TopicArn': TOPIC + 't', 'Message': ''}, *INVALID, 'Empty message'),
    ('Publish', {'TopicArn': TOPIC + 't', 'Message': 'x' * 262145}, *INVALID, 'Message too long'),
    *(('Publish', {'TopicArn': TOPIC + 't', 'Message': 'm', 'Subject': s}, *INVALID, 'Subject')
      for s in ('', 'x' * 101, 'a\nb')),
    *(('Publish', {'TargetArn': arn, 'Message': 'm'}, *INVALID, text) for arn, text in (
        ('x', SHORT.format('TargetArn', 1)), ('arn:aws:sns:eu-west-1:000000000000:t', 'TargetArn'),
        (TOPIC + 'endpoint/GCM/a/b', 'TargetArn Reason: No endpoint found for the target arn specified'))),
    *(('Publish', {'PhoneNumber': n, 'Message': 'm'}, *INVALID,
       f'PhoneNumber Reason: {n} is not valid to publish to') for n in ('+1a234', 'NAA+15551234567')),
    *(('Publish', {'TopicArn': TOPIC + 't', 'Message': m, 'MessageStructure': 'json'}, *INVALID,
       'Message Structure - ' + text)
      for m, text in (('{', 'JSON message body failed to parse'),
                      ('{}', 'No default entry in JSON message body'),
                      ('{"default":{}}', 'No default entry in JSON message body'))),
    ('Publish', message(StringValue='x'), 'ValidationError', 'ValidationException', 400, '',
     "1 validation error detected: Value null at 'messageAttributes.a.member.dataType' failed to satisfy "
     'constraint: Member must not be null'),
    *(('Publish', message(DataType=t, StringValue='x'), *ATTRIBUTE, "The message attribute 'a' has an invalid "
       'message attribute type, the set of supported type prefixes is Binary, Number, and String.')
      for t in ('', 'String.', 'Stringprefixed', 'number')),
    *(('Publish', message(**v), *ATTRIBUTE, "The message attribute 'a' must contain non-empty message attribute "
       f"value for message attribute type '{v['DataType']}'.")
      for v in ({'DataType': 'String'}, {'DataType': 'Number', 'StringValue': ''},
                {'DataType': 'Binary', 'BinaryValue': ''})),
    *(('Publish', message(**v), *ATTRIBUTE, f"The message attribute 'a' with type '{v['DataType']}' must use "
       f"field '{f}'.") for v, f in (({'DataType': 'String', 'BinaryValue': 'AQ=='}, 'String'),
                                     ({'DataType': 'Number', 'BinaryValue': 'AQ=='}, 'String'),
                                     ({'DataType': 'Binary', 'StringValue': 'x'}, 'Binary'))),
    ('PublishBatch', batch(), 'EmptyBatchRequest', 'EmptyBatchRequestException', 400, '',
     "The batch request doesn't contain any entries."),
    *(('PublishBatch', batch({'Id': i, 'Message': 'm'}), 'InvalidBatchEntryId', 'InvalidBatchEntryIdException',
       400, '', 'The Id of a batch entry in the batch request ' + text) for i, text in (
           ('', 'contains an impermissible character: '),
           ('msg@123#test', 'contains an impermissible character: msg@123#test'),
           ('x' * 81, 'is too long: ' + 'x' * 81))),
    ('PublishBatch', batch({'Id': 'a', 'Message': 'm'}, {'Id': 'b', 'Message': 'm', 'MessageAttributes': {
        'a': {'StringValue': 'x'}}}), 'ValidationError', 'ValidationException', 400, '',
     "1 validation error detected: Value null at 'publishBatchRequestEntries.2.member.messageAttributes.a."
     "member.dataType' failed to satisfy constraint: Member must not be null"),
    ('PublishBatch', {**batch({'Id': 'a', 'Message': 'm'}, {'Id': 'a', 'Message': 'm'}),
                      'TopicArn': TOPIC + 'none'}, *NO_TOPIC, 'Topic does not exist'),
]


def test_sns(ports):
    for action, members, code, shape, status, frame, text in SNS:
        # A call that nobody signed is of the region that it names: none is another one.
        more = SIGNED if 'eu-west-1' in str(members) else {}
        assert by_json(ports[1], 'AmazonSNS', action, members, **more) == (
            status, code, shape, frame + text), (action, members)
        form = {'Action': action, 'Version': '2010-03-31', **entries(members)}
        assert by_query(ports[1], form, **more) == (status, code, frame + text), form


def test_empty_policies_take_away(ports):
    arn = re.search('<SubscriptionArn>(.*?)<', by_query(ports[1], {'Action': 'ListSubscriptions'})[1])[1]
    for name_ in ('RedrivePolicy', 'DeliveryPolicy', 'FilterPolicy'):
        for empty in ('', '{}'):
            members = {'SubscriptionArn': arn, 'AttributeName': name_, 'AttributeValue': empty}
            assert by_json(ports[1], 'AmazonSNS', 'SetSubscriptionAttributes', members) == (200, '')
            assert by_query(ports[1], {'Action': 'SetSubscriptionAttributes', **members})[0] == 200


def test_confirm_by_a_signed_call(toque):
    from botocore.exceptions import ClientError
    for token, text in (('x', 'Invalid token'), ('0' * 288, 'Invalid parameter: Token')):
        with pytest.raises(ClientError) as e:
            toque.sns().confirm_subscription(TopicArn=TOPIC + 't', Token=token)
        error = e.value.response['Error']
        assert (error['Code'], error['Message']) == ('InvalidParameter', text)
