"""The wire, byte by byte: errors of both protocols, request forms that clients really send, and
hostile requests. After each the daemon must still answer."""
import contextlib, http.client, json, re, socket, urllib.parse

import pytest

JSON = 'application/x-amz-json-1.0'
FORM = 'application/x-www-form-urlencoded; charset=utf-8'


def call(port, method='POST', path='/', headers=(), body=b''):
    c = http.client.HTTPConnection('127.0.0.1', port, timeout=30)
    c.request(method, path, body, dict(headers))
    answer = c.getresponse()
    text = answer.read()
    c.close()
    return answer, text.decode(errors='replace')


def raw(port, data, end=True):
    """Everything the server says to these bytes until it closes (or until one answer is whole)."""
    with socket.create_connection(('127.0.0.1', port), timeout=30) as s:
        got = b''
        with contextlib.suppress(ConnectionError, OSError):
            s.sendall(data)
            if end:
                s.shutdown(socket.SHUT_WR)
        while True:
            try:
                more = s.recv(65536)
            except ConnectionResetError:
                return got
            if not more:
                return got
            got += more


@pytest.fixture
def toque(make_toque):
    """Connections that say nothing more, or do not come to an end, are closed soon."""
    short = {'idle_timeout_s': 1, 'request_timeout_s': 1}
    return make_toque(topic_options=short, queue_options=short).start()


@pytest.fixture
def port(toque):
    toque.sqs().create_queue(QueueName='q')
    toque.sns().create_topic(Name='t')
    toque.ports = [toque.queue_ports[0], toque.topic_port]
    return toque.ports[0]


def sqs(port, action, body, **headers):
    return call(port, headers={'X-Amz-Target': f'AmazonSQS.{action}', 'Content-Type': JSON, **headers},
                body=body if isinstance(body, (str, bytes)) else json.dumps(body))


def test_json_answer_headers(port):
    answer, text = sqs(port, 'SendMessage', {'QueueUrl': 'q', 'MessageBody': 'hello'})
    assert answer.status == 200 and answer.getheader('Content-Type') == JSON
    assert re.fullmatch(r'[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}', answer.getheader('x-amzn-RequestId'))
    assert answer.getheader('Date').endswith(' GMT') and answer.getheader('Content-Length')
    got = json.loads(text)
    assert set(got) == {'MessageId', 'MD5OfMessageBody'}
    assert got['MD5OfMessageBody'] == '5d41402abc4b2a76b9719d911017c592'
    answer, text = sqs(port, 'PurgeQueue', {'QueueUrl': 'q'})
    assert (answer.status, text, answer.getheader('Content-Length')) == (200, '', '0')
    assert answer.getheader('Content-Type') == JSON
    assert sqs(port, 'ReceiveMessage', {'QueueUrl': 'q'})[1] == '{}'


def test_json_errors(port):
    for action, body, status, kind, code, text in (
            ('SendMessage', {'QueueUrl': 'none', 'MessageBody': 'x'}, 400,
             'com.amazonaws.sqs#QueueDoesNotExist', 'AWS.SimpleQueueService.NonExistentQueue',
             'The specified queue does not exist.'),
            ('SendMessage', {'MessageBody': 'x'}, 400, 'com.amazonaws.sqs#QueueDoesNotExist',
             'AWS.SimpleQueueService.NonExistentQueue', 'The specified queue does not exist.'),
            ('SendMessage', {'QueueUrl': 'q'}, 400,
             'com.amazon.coral.service#MissingRequiredParameterException', 'MissingParameter',
             'The request must contain the parameter MessageBody.'),
            ('DeleteMessage', {'QueueUrl': 'q', 'ReceiptHandle': 'garbage'}, 404,
             'com.amazonaws.sqs#ReceiptHandleIsInvalid', 'ReceiptHandleIsInvalid',
             'The input receipt handle "garbage" is not a valid receipt handle.')):
        answer, got = sqs(port, action, body)
        assert answer.status == status
        assert answer.getheader('x-amzn-query-error') == f'{code};Sender'
        assert json.loads(got) == {'__type': kind, 'message': text}
    answer, got = sqs(port, 'NoSuchAction', {})
    assert answer.status == 400
    assert json.loads(got)['__type'] == 'com.amazon.coral.service#UnknownOperationException'


@pytest.mark.parametrize('body', [
    '{', '[]', '"x"', 'null x', '{"QueueUrl":5}', '{"QueueUrl":["q"]}', '{"QueueUrl":{"a":1}}',
    '{"QueueUrl":"q","DelaySeconds":"5"}', '{"QueueUrl":"q","Attributes":{"DelaySeconds":5}}',
    '{"QueueUrl":"q","MessageBody":"\xff"}', '{"QueueUrl":"q",}', '[' * 5000, '{"a":' * 5000,
    '{"QueueUrl":"q","MessageBody":"a\nb"}', '{"QueueUrl":"q","MessageBody":"\\u12"}'])
def test_json_that_is_none(port, body):
    action = 'SetQueueAttributes' if 'Attributes' in body else 'SendMessage'
    answer, got = sqs(port, action, body.encode('latin-1'))
    assert answer.status == 400, got
    assert json.loads(got)['__type'] == 'com.amazon.coral.service#SerializationException'
    assert answer.getheader('x-amzn-query-error') == 'MalformedInput;Sender'


def test_query_answers_and_errors(port):
    def query(path='/', method='POST', **form):
        text = urllib.parse.urlencode(form)
        if method == 'GET':
            return call(port, 'GET', f'{path}?{text}')
        return call(port, 'POST', path, {'Content-Type': FORM}, text)

    answer, text = query(Action='SendMessage', QueueUrl='q', MessageBody='a\r"<&>')
    assert answer.getheader('Content-Type') == 'text/xml'
    assert text.startswith('<?xml version="1.0"?><SendMessageResponse xmlns="http://queue.amazonaws.com/'
                           'doc/2012-11-05/"><SendMessageResult><MessageId>')
    assert f'<RequestId>{answer.getheader("x-amzn-RequestId")}</RequestId>' in text
    answer, text = query('/000000000000/q', 'GET', Action='ReceiveMessage', VisibilityTimeout='0')
    assert '<Body>a&#xD;&quot;&lt;&amp;&gt;</Body>' in text
    assert '<ReceiveMessageResult/>' not in text
    query('/000000000000/q', 'GET', Action='PurgeQueue')
    assert '<ReceiveMessageResult/>' in query('/queue/q', Action='ReceiveMessage')[1]
    answer, text = query(Action='SendMessage', QueueUrl='none', MessageBody='x')
    assert answer.status == 400
    assert text == ('<?xml version="1.0"?><ErrorResponse xmlns="http://queue.amazonaws.com/doc/2012-11-05/">'
                    '<Error><Type>Sender</Type><Code>AWS.SimpleQueueService.NonExistentQueue</Code><Message>'
                    'The specified queue does not exist for this wsdl version.</Message><Detail/></Error>'
                    f'<RequestId>{answer.getheader("x-amzn-RequestId")}</RequestId></ErrorResponse>')
    for action in ('FooBar', 'CreateQueue', 'ListQueues'):
        answer, text = query('/000000000000/q', 'GET', Action=action)
        assert answer.status == 400 and '<Code>InvalidAction</Code>' in text
        assert f'The action {action} is not valid for this endpoint.' in text
    answer, text = query('/000000000000/q', 'GET', Action='SendMessage')
    assert '<Code>MissingParameter</Code>' in text
    assert '<Name>QueueArn</Name><Value>arn:aws:sqs:us-east-1:000000000000:q</Value>' in query(
        '/000000000000/q', 'GET', **{'Action': 'GetQueueAttributes', 'AttributeName.1': 'All'})[1]
    for path in ('/000000000000/q/', '/queue/q/', '/queue/us-east-1/000000000000/q'):
        assert '<MessageId>' in query(path, Action='SendMessage', MessageBody='m')[1]
        assert '<MessageId>' in call(port, 'POST', f'{path}?Action=SendMessage&MessageBody=m')[1]
    for accept in ({}, {'Accept': 'application/json'}):
        answer, text = call(port, 'GET', '/000000000000/q', accept)
        assert answer.status == 404 and text.startswith('<UnknownOperationException')


def test_bad_escapes_are_refused_by_the_service_that_was_meant(toque, port):
    for p in toque.ports:
        for method, path, body in (('GET', '/000000000000/q?Action=SendMessage&MessageBody=%zz', ''),
                                   ('POST', '/000000000000/q', 'Action=SendMessage&MessageBody=%zz')):
            answer, text = call(p, method, path, {'Content-Type': FORM}, body)
            assert answer.status == 400 and 'xmlns="http://queue.amazonaws.com/doc/2012-11-05/"' in text
            assert '<Code>MalformedInput</Code>' in text and '<Detail/>' in text


def test_paths_of_queues(toque, port):
    """What a queue's path may be used for; an explicit QueueUrl counts more than the path."""
    toque.sqs().create_queue(QueueName='f.fifo', Attributes={'FifoQueue': 'true'})
    toque.sqs().create_queue(QueueName='gone')
    for p in toque.ports:
        def get(path, accept='*/*', method='GET'):
            answer, text = call(p, method, path, {'Accept': accept})
            return answer.status, text

        assert '<MessageId>' in get('/000000000000/none?Action=SendMessage&MessageBody=m&QueueUrl=q')[1]
        assert f':{p}/000000000000/f.fifo</QueueUrl>' in get(
            '/000000000000/q?Action=GetQueueUrl&QueueName=f.fifo')[1]
        assert '<Name>FifoQueue</Name><Value>true</Value>' in get(
            '/000000000000/f.fifo?Action=GetQueueAttributes&AttributeName.1=All')[1]
        status, text = get('/000000000000/q?Action=GetQueueAttributes&AttributeName.1=Foobar')
        assert status == 400 and '<Code>InvalidAttributeName</Code><Message>Unknown Attribute Foobar.<' in text
        status, text = get('/000000000000/gone?Action=DeleteQueue')
        if p == port:
            assert status == 200
            status, text = get('/000000000000/gone?Action=DeleteQueue')
        assert status == 400 and '<Code>AWS.SimpleQueueService.NonExistentQueue</Code>' in text
        assert get('/000000000000/q', method='HEAD') == (404, '')
        assert get('/health', method='HEAD') == (200, '')
        for path, more in (('/000000000000/q', {}), ('/000000000000/none', {'QueueUrl': 'q'})):
            answer, text = call(p, path=path, body=json.dumps({'MessageBody': 'm', **more}), headers={
                'X-Amz-Target': 'AmazonSQS.SendMessage', 'Content-Type': JSON})
            assert answer.status == 200 and answer.getheader('Content-Type') == JSON, text


def test_query_answers_as_json(toque, port):
    """Where a client of the Query protocol asks for it."""
    sqs(port, 'SendMessage', {'QueueUrl': 'q', 'MessageBody': 'hello'})
    for p in toque.ports:
        def get(query):
            answer, text = call(p, 'GET', f'/000000000000/q?{query}', {'Accept': 'application/json'})
            assert answer.getheader('Content-Type') == 'application/json'
            return answer.status, json.loads(text)

        status, got = get('Action=ReceiveMessage&AttributeName=SentTimestamp&VisibilityTimeout=0')
        message = got['ReceiveMessageResponse']['ReceiveMessageResult']['messages'][0]
        assert message['Body'] == 'hello' and message['Attributes'][0]['Name'] == 'SentTimestamp'
        assert got['ReceiveMessageResponse']['ResponseMetadata']['RequestId']
        status, got = get('Action=ReceiveMessage&QueueUrl=none')
        assert status == 400 and got['RequestId']
        assert got['Error'] == {
            'Code': 'AWS.SimpleQueueService.NonExistentQueue', 'Type': 'Sender',
            'Message': 'The specified queue does not exist for this wsdl version.'}


def test_json_as_clients_write_it(toque, port):
    """Nulls, unknown members, empty lists, no body at all; the header of AWS's own clients is optional."""
    for p in toque.ports:
        for action, body in (('SendMessage', {'QueueUrl': 'q', 'MessageBody': 'm', 'DelaySeconds': None,
                                              'MessageAttributes': None, 'Unknown': [1, {}]}),
                             ('ReceiveMessage', {'QueueUrl': 'q', 'AttributeNames': [],
                                                 'MessageAttributeNames': [], 'WaitTimeSeconds': 5,
                                                 'MessageSystemAttributeNames': [], 'VisibilityTimeout': 0}),
                             ('ListQueues', '')):
            answer, text = sqs(p, action, body)
            assert answer.status == 200, text
        for mode in ({}, {'x-amzn-query-mode': 'true'}):
            answer, text = sqs(p, 'ReceiveMessage', {'QueueUrl': 'none'}, **mode)
            assert answer.getheader('x-amzn-query-error') == 'AWS.SimpleQueueService.NonExistentQueue;Sender'


def test_query_collections_without_a_number(toque, port):
    """As boto 2 sends them: the first element has no number."""
    for p in toque.ports:
        def ask(query):
            answer, text = call(p, 'GET', f'/000000000000/q?Version=2012-11-05&{query}')
            assert answer.status == 200, text
            return text

        ask('Action=SetQueueAttributes&Attribute.Name=VisibilityTimeout&Attribute.Value=77')
        assert '<Name>VisibilityTimeout</Name><Value>77</Value>' in ask(
            'Action=GetQueueAttributes&AttributeName=All')
        ask('Action=SendMessage&MessageBody=b&MessageAttribute.Name=n'
            '&MessageAttribute.Value.DataType=String&MessageAttribute.Value.StringValue=v')
        got = ask('Action=ReceiveMessage&AttributeName=All&MessageAttributeName=n&VisibilityTimeout=0'
                  '&WaitTimeSeconds=5')
        assert '<Name>SentTimestamp</Name>' in got and '<StringValue>v</StringValue>' in got
        ask('Action=PurgeQueue')


def test_sns_answers_and_errors(toque, port):
    def query(**form):
        return call(toque.topic_port, 'POST', '/', {'Content-Type': FORM}, urllib.parse.urlencode(form))

    answer, text = query(Action='CreateTopic', Version='2010-03-31', Name='t')
    assert text.startswith('<CreateTopicResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/">')
    assert '<TopicArn>arn:aws:sns:us-east-1:000000000000:t</TopicArn>' in text
    assert '<Subscriptions/>' in query(Action='ListSubscriptions')[1]
    answer, text = query(Action='GetTopicAttributes', TopicArn='arn:aws:sns:us-east-1:000000000000:none')
    assert answer.status == 404 and '<Code>NotFound</Code><Message>Topic does not exist</Message>' in text
    assert '<Detail' not in text
    arn = urllib.parse.quote('arn:aws:sns:us-east-1:000000000000:t')
    assert '<MessageId>' in call(toque.topic_port, 'POST',
                                 f'/?Action=Publish&TopicArn={arn}&Message=m')[1]
    assert '<MessageId>' in call(toque.topic_port, 'GET',
                                 f'/?Action=Publish&TopicArn={arn}&Message=m')[1]


def test_request_forms(port):
    body = json.dumps({'QueueUrl': 'q', 'MessageBody': 'm'}).encode()
    head = (b'POST / HTTP/1.1\r\nHost: any.where:1\r\nX-Amz-Target: AmazonSQS.SendMessage\r\n'
            b'Content-Type: application/x-amz-json-1.0\r\n')
    whole = head + b'Content-Length: %d\r\n\r\n' % len(body) + body
    chunks = b''.join(b'%x\r\n%s\r\n' % (len(p), p) for p in (body[:5], body[5:], b''))
    close = b'Connection: close\r\n'
    for request, count in ((whole * 5 + head + close + whole[len(head):], 6),
                           (head + close + b'Transfer-Encoding: chunked\r\n\r\n' + chunks, 1),
                           (head + close + b'Expect: 100-continue\r\nContent-Length: %d\r\n\r\n'
                            % len(body) + body, 1)):
        got = raw(port, request, end=False)
        assert got.count(b'HTTP/1.1 200 ') == count, got


HOSTILE = [
    b'\x00' * 1000, b'GET\r\n\r\n', b'GET / HTTP/9.9\r\n\r\n', b'POST / HTTP/1.1\r\n\r\n',
    b'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n',
    b'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\nx',
    b'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4000000000\r\n\r\nx',
    b'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nshort',
    b'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
    b'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nx',
    b'GET /' + b'a' * 100000 + b' HTTP/1.1\r\nHost: x\r\n\r\n',
    b'GET / HTTP/1.1\r\nHost: x\r\n' + b'A: b\r\n' * 20000 + b'\r\n',
    b'GET /?%zz=%&Action=%%% HTTP/1.1\r\nHost: x\r\n\r\n', b'\r\n' * 5000, b'\x16\x03\x01\x02\x00',
    b'POST / HTTP/1.1\r\nHost: x\r\nAuthorization: AWS4-HMAC-SHA256 Credential=/////,=,,\r\n'
    b'Content-Length: 0\r\n\r\n',
    b'BREW /pot HTTP/1.1\r\nHost: x\r\n\r\n', b'HEAD / HTTP/1.1\r\nHost: x\r\n\r\n',
    b'GET /?' + b'&'.join(b'a.%d.b=c' % n for n in range(3000)) + b'&Action=SendMessageBatch HTTP/1.1\r\n'
    b'Host: x\r\n\r\n']


@pytest.mark.parametrize('data', HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_requests(toque, port, data):
    for at in toque.ports:
        raw(at, data)
        answer, text = sqs(at, 'ListQueues', {})
        assert answer.status == 200 and '/q"' in text
    assert toque.queued.is_alive() and toque.topicd.is_alive()


def test_hostile_parameters(toque, port):
    deep = '&'.join(f'SendMessageBatchRequestEntry.{n}.Id=a' for n in range(5000))
    for form in (f'Action=SendMessageBatch&QueueUrl=q&{deep}',
                 'Action=SendMessage&QueueUrl=q&MessageBody=%ff%fe',
                 'Action=SendMessage&QueueUrl=q&MessageBody=' + '%00',
                 'Action=ReceiveMessage&QueueUrl=q&MaxNumberOfMessages=99999999999999999999',
                 'Action=ReceiveMessage&QueueUrl=q&AttributeName.99999999999999999999=All',
                 'Action=' + 'x' * 100000):
        answer, text = call(port, headers={'Content-Type': FORM}, body=form)
        assert answer.status in (200, 400), text
        assert '<' in text
    answer, text = sqs(port, 'ListQueues', {})
    assert answer.status == 200


def test_oversized_body_is_refused(toque, port):
    body = b'x' * (20 << 20)
    for at in toque.ports:
        answer, text = call(at, headers={'Content-Type': JSON, 'X-Amz-Target': 'AmazonSQS.SendMessage'},
                            body=body)
        assert answer.status == 413, text
        assert json.loads(text) == {
            '__type': 'com.amazon.coral.service#RequestEntityTooLargeException',
            'message': 'The request body is too large.'}
        answer, text = call(at, headers={'Content-Type': FORM}, body=body)
        assert answer.status == 413 and '<Code>RequestEntityTooLarge</Code>' in text
        raw(at, b'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n' % (1 << 40) + body)
        assert sqs(at, 'ListQueues', {})[0].status == 200


def test_many_idle_connections(toque, port):
    """Clients that connect and say nothing keep nobody else out."""
    idle = [socket.create_connection(('127.0.0.1', port)) for _ in range(500)]
    try:
        assert sqs(port, 'ListQueues', {})[0].status == 200
    finally:
        for s in idle:
            s.close()


def test_malformed_authorization(port):
    answer, got = sqs(port, 'ListQueues', {}, Authorization='AWS4-HMAC-SHA256 nonsense')
    assert answer.status == 400
    assert json.loads(got)['__type'].endswith('#IncompleteSignatureException')
