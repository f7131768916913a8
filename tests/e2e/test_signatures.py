"""Access keys: with a file of keys both daemons verify what clients sign. Real clients are let in by
right signatures and refused in the service's words otherwise; whatever botocore's own signer signs
passes, however odd the request, and nothing passes that was changed afterwards."""
import contextlib, datetime, hashlib, http.client, json, os, random, signal, socket, urllib.parse

import botocore.auth
import botocore.exceptions
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from daemons import REGION

KEY, SECRET, ACCOUNT = 'AKIAEXAMPLE', 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY', '111111111111'
BOB = dict(account='AKIABOB', secret='bob/secret+', token=None)
TEMPORARY = dict(account='ASIAEXAMPLE', secret='temporary', token='AQoDYXdzEPT//wEXAMPLE+=')
KEYS = [
    {'access_key_id': KEY, 'secret_access_key': SECRET, 'account': ACCOUNT},
    {'access_key_id': BOB['account'], 'secret_access_key': BOB['secret'],
     'account': '222222222222', 'services': ['sqs']},
    {'access_key_id': TEMPORARY['account'], 'secret_access_key': TEMPORARY['secret'],
     'account': ACCOUNT, 'session_token': TEMPORARY['token']},
    {'access_key_id': 'AKIAPUBLISHER', 'secret_access_key': 'publisher', 'account': ACCOUNT,
     'user': 'publisher', 'policy': {'Version': '2012-10-17', 'Statement': [
         {'Effect': 'Allow', 'Action': 'sns:Publish', 'Resource': 'arn:aws:sns:*:*:t'},
         {'Effect': 'Allow', 'Action': ['sqs:SendMessage', 'sqs:GetQueueUrl'],
          'Resource': '*', 'Condition': {'IpAddress': {'aws:SourceIp': '127.0.0.0/8'}}},
         {'Effect': 'Deny', 'Action': 'sqs:*', 'Resource': '*:secret'}]}},
]
PUBLISHER = dict(account='AKIAPUBLISHER', secret='publisher')
SEED = int(os.environ.get('TOQUE_SEED', '1'))
REQUESTS = 250


class Keys:
    """The file, and clients that sign with what is in it."""

    def __init__(self, path):
        self.path = path
        self.write(KEYS)

    def write(self, keys, mode=0o600):
        self.path.write_text(json.dumps({'keys': keys}))
        self.path.chmod(mode)

    def options(self):
        return {'keys': str(self.path)}


@pytest.fixture
def keys(tmp_path):
    return Keys(tmp_path / 'keys.json')


@pytest.fixture
def toque(make_toque, keys):
    t = make_toque(topic_options=keys.options(), queue_options=keys.options()).start()
    yield t
    t.stop()


def client(toque, service, front=False, account=KEY, secret=SECRET, token=None, **more):
    url = toque.topic_url if front else None
    return toque.client(service, url=url, account=account, secret=secret, token=token, **more)


@contextlib.contextmanager
def refused(code, text):
    with pytest.raises(botocore.exceptions.ClientError) as e:
        yield
    error = e.value.response['Error']
    assert error['Code'] == code and text in error['Message'], error
    assert e.value.response['ResponseMetadata']['HTTPStatusCode'] == 403


# --- real clients -------------------------------------------------------------------------------


@pytest.mark.parametrize('front', [False, True])
def test_queues(toque, front):
    sqs = client(toque, 'sqs', front)
    url = sqs.create_queue(QueueName='q')['QueueUrl']
    assert url.endswith(f'/{ACCOUNT}/q')
    sqs.send_message(QueueUrl=url, MessageBody='grüße & €', MessageAttributes={
        'a': {'DataType': 'String', 'StringValue': 'x y+z'}})
    got = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5)['Messages'][0]
    assert got['Body'] == 'grüße & €'
    sqs.delete_message(QueueUrl=url, ReceiptHandle=got['ReceiptHandle'])
    bob = client(toque, 'sqs', front, **BOB)
    assert bob.create_queue(QueueName='q')['QueueUrl'].endswith('/222222222222/q')
    temporary = client(toque, 'sqs', front, **TEMPORARY)
    assert temporary.get_queue_url(QueueName='q')['QueueUrl'] == url


def test_topics(toque):
    sns, sqs = client(toque, 'sns'), client(toque, 'sqs')
    topic = sns.create_topic(Name='t')['TopicArn']
    assert topic == f'arn:aws:sns:{REGION}:{ACCOUNT}:t'
    url = sqs.create_queue(QueueName='q')['QueueUrl']
    sns.subscribe(TopicArn=topic, Protocol='sqs', Endpoint=f'arn:aws:sqs:{REGION}:{ACCOUNT}:q')
    sns.publish(TopicArn=topic, Message='grüße')
    got = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20)['Messages'][0]
    assert json.loads(got['Body'])['Message'] == 'grüße'
    assert client(toque, 'sns', **TEMPORARY).list_topics()['Topics'] == [{'TopicArn': topic}]


INVALID = 'The security token included in the request is invalid.'


@pytest.mark.parametrize('service,front', [('sqs', False), ('sqs', True), ('sns', True)])
def test_wrong_keys(toque, service, front):
    def listed(**how):
        c = client(toque, service, front, **how)
        return c.list_queues() if service == 'sqs' else c.list_topics()

    listed()
    with refused('SignatureDoesNotMatch', 'The request signature we calculated does not match'):
        listed(secret='guess')
    with refused('SignatureDoesNotMatch', "The String-to-Sign should have been\n'AWS4-HMAC-SHA256"):
        listed(secret='guess')
    with refused('InvalidClientTokenId', INVALID):
        listed(account='AKIANOBODY')
    with refused('InvalidClientTokenId', INVALID):
        listed(token='a token')
    with refused('InvalidClientTokenId', INVALID):
        listed(**{**TEMPORARY, 'token': None})
    with refused('InvalidClientTokenId', INVALID):
        listed(**{**TEMPORARY, 'token': TEMPORARY['token'] + '='})
    if service == 'sns':
        with refused('OptInRequired', 'needs a subscription for the service'):
            listed(**BOB)
        toque.topicd.wait_line('a call is denied by the services of its key key=AKIABOB service=sns')


def test_exceptions_by_shape(toque):
    with pytest.raises(botocore.exceptions.ClientError) as e:
        client(toque, 'sqs', secret='guess').list_queues()
    assert e.value.response['Error']['QueryErrorCode'] == 'InvalidSignatureException'


def test_policy_of_a_key(toque):
    sns, sqs = client(toque, 'sns'), client(toque, 'sqs')
    topics = {name: sns.create_topic(Name=name)['TopicArn'] for name in ('t', 'other')}
    urls = {name: sqs.create_queue(QueueName=name)['QueueUrl'] for name in ('q', 'secret')}
    user = f'User: arn:aws:iam::{ACCOUNT}:user/publisher is not authorized to perform: '
    publisher = client(toque, 'sns', **PUBLISHER)
    publisher.publish(TopicArn=topics['t'], Message='m')
    publisher.publish_batch(TopicArn=topics['t'],
                            PublishBatchRequestEntries=[{'Id': '1', 'Message': 'm'}])
    with refused('AuthorizationError', user + f'SNS:Publish on resource: {topics["other"]} because '
                 'no identity-based policy allows the SNS:Publish action'):
        publisher.publish(TopicArn=topics['other'], Message='m')
    with refused('AuthorizationError', user + f'SNS:ListTopics on resource: '
                 f'arn:aws:sns:{REGION}:{ACCOUNT}:* because'):
        publisher.list_topics()
    for front in (False, True):
        sender = client(toque, 'sqs', front, **PUBLISHER)
        assert sender.get_queue_url(QueueName='q')['QueueUrl'].endswith('/q')
        sender.send_message(QueueUrl=urls['q'], MessageBody='m')
        sender.send_message_batch(QueueUrl=urls['q'], Entries=[{'Id': '1', 'MessageBody': 'm'}])
        arn = f'arn:aws:sqs:{REGION}:{ACCOUNT}:'
        with refused('AccessDenied', user + f'sqs:receivemessage on resource: {arn}q because no '
                     'identity-based policy allows the sqs:receivemessage action'):
            sender.receive_message(QueueUrl=urls['q'])
        with refused('AccessDenied', user + f'sqs:sendmessage on resource: {arn}secret with an '
                     'explicit deny in an identity-based policy'):
            sender.send_message(QueueUrl=urls['secret'], MessageBody='m')
        with refused('AccessDenied', 'sqs:createqueue on resource: ' + arn + 'new because'):
            sender.create_queue(QueueName='new')
    assert 'statement 1 comes closest, but it is about other actions than SNS:ListTopics' in \
        '\n'.join(toque.topicd.log)
    assert ask(toque.queue_ports[0], 'GET', '/health')[0] == 200


# --- the file -----------------------------------------------------------------------------------


def test_reloaded_on_hangup(toque, keys):
    new = {'access_key_id': 'AKIANEW', 'secret_access_key': 'new', 'account': ACCOUNT}
    clients = [client(toque, 'sqs', front, account='AKIANEW', secret='new')
               for front in (False, True)]
    keys.write([*KEYS, new])
    for d in (toque.queued, toque.topicd):
        d.process.send_signal(signal.SIGHUP)
        d.wait_line('the keys were reloaded keys=5')
    for c in clients:
        c.list_queues()
    keys.write(KEYS, mode=0o640)
    for d in (toque.queued, toque.topicd):
        d.process.send_signal(signal.SIGHUP)
        assert 'its mode must be 0600, not 0640' in d.wait_line('the keys were not reloaded')
    for c in clients:
        c.list_queues()


@pytest.mark.parametrize('daemon', ['queued', 'topicd'])
def test_no_start_with_a_bad_file(make_toque, keys, daemon):
    keys.write(KEYS, mode=0o644)
    t = make_toque(topic_options=keys.options(), queue_options=keys.options())
    d = getattr(t, daemon)
    d.start(ready=False)
    assert 'keys.json: others may read or change it' in d.wait_line('mode must be 0600, not 0644')
    assert d.wait_end() != 0


def test_the_sample_is_a_file_of_keys(make_toque, keys):
    keys.path.write_bytes((pathlib_root() / 'config/keys.json').read_bytes())
    t = make_toque(queue_options=keys.options())
    t.queued.start()
    t.queued.stop()


def pathlib_root():
    import daemons
    return daemons.ROOT


# --- without a signature ------------------------------------------------------------------------


def ask(port, method, path, headers=(), body=b''):
    c = http.client.HTTPConnection('127.0.0.1', port, timeout=30)
    with contextlib.closing(c):
        c.request(method, path, body, dict(headers))
        answer = c.getresponse()
        return answer.status, answer.read().decode()


def test_unsigned(toque):
    client(toque, 'sqs').create_queue(QueueName='q')
    for port in (toque.queue_ports[0], toque.topic_port):
        status, text = ask(port, 'GET', f'/{ACCOUNT}/q?Action=ReceiveMessage')
        assert status == 403 and '<Code>AccessDenied</Code>' in text
        assert f'Access to the resource http://127.0.0.1:{port}/{ACCOUNT}/q is denied.' in text
        status, text = ask(port, 'POST', '/', {'X-Amz-Target': 'AmazonSQS.ListQueues'}, b'{}')
        assert status == 403 and 'com.amazon.coral.service#AccessDeniedException' in text
        assert ask(port, 'GET', '/health')[0] == 200
        assert ask(port, 'POST', '/_toque/clock', body=b'{"advance_ms":1}')[0] == 403
    status, text = ask(toque.topic_port, 'GET', '/?Action=ListTopics')
    assert status == 403 and '<Code>MissingAuthenticationToken</Code>' in text


def test_open_urls(toque):
    sns, sqs = client(toque, 'sns'), client(toque, 'sqs')
    topic = sns.create_topic(Name='t')['TopicArn']
    sqs.create_queue(QueueName='q')
    arn = sns.subscribe(TopicArn=topic, Protocol='sqs', ReturnSubscriptionArn=True,
                        Endpoint=f'arn:aws:sqs:{REGION}:{ACCOUNT}:q')['SubscriptionArn']
    for method in ('GET', 'POST'):
        status, text = ask(toque.topic_port, method,
                           '/?' + urllib.parse.urlencode({'Action': 'Unsubscribe',
                                                          'SubscriptionArn': arn}))
        assert status == 403 and '<Code>AuthorizationError</Code>' in text
    assert len(sns.list_subscriptions()['Subscriptions']) == 1
    status, text = ask(toque.topic_port, 'GET', '/?' + urllib.parse.urlencode(
        {'Action': 'ConfirmSubscription', 'TopicArn': topic, 'Token': 'f' * 288}))
    assert status == 400 and 'Invalid parameter: Token' in text


# --- requests made by hand ----------------------------------------------------------------------


def wire(method, url, headers, body):
    """The request as bytes, exactly as it was signed."""
    parts = urllib.parse.urlsplit(url)
    target = (parts.path or '/') + (f'?{parts.query}' if parts.query else '')
    head = f'{method} {target} HTTP/1.1\r\n' + ''.join(f'{k}: {v}\r\n' for k, v in headers)
    return (head + f'Content-Length: {len(body)}\r\nConnection: close\r\n\r\n').encode() + body


def send(port, data):
    with socket.create_connection(('127.0.0.1', port), timeout=30) as s:
        s.sendall(data)
        got = b''
        while more := s.recv(65536):
            got += more
    head, _, body = got.partition(b'\r\n\r\n')
    return int(head.split()[1]), body.decode()


def signed(method, url, headers=(), body=b'', signer=botocore.auth.SigV4Auth, service='sqs',
           key=KEY, secret=SECRET, token=None, **more):
    """A request by botocore's own signer: method, url, headers, body."""
    request = AWSRequest(method=method, url=url, data=body)
    request.headers['Host'] = urllib.parse.urlsplit(url).netloc
    for name, value in headers:
        request.headers[name] = value
    signer(Credentials(key, secret, token), service, REGION, **more).add_auth(request)
    return method, request.url, list(request.headers.items()), body


class Chance:
    """Requests of every odd kind that a client may sign and an HTTP server lets through."""

    def __init__(self, seed, port):
        self.r, self.base = random.Random(seed), f'http://127.0.0.1:{port}'

    def text(self, most=12):
        alphabet = 'abcXYZ019-._~ +/=&%:;,!*\'()@$äß€😀"<>\t'
        return ''.join(self.r.choice(alphabet) for _ in range(self.r.randrange(most)))

    def path(self):
        parts = [self.r.choice(['', '.', '..', 'a', 'q1', ACCOUNT, "a'b(c)*", 'x:y@z,;=$!+&',
                                urllib.parse.quote(self.text()), urllib.parse.quote(self.text(), safe=''),
                                '%2e', '%2F', '%c3%bc'])
                 for _ in range(self.r.randrange(5))]
        return '/' + '/'.join(parts)

    def query(self):
        # botocore signs a query as it stands in the URL, so either spelling must do.
        quote = self.r.choice([urllib.parse.quote, urllib.parse.quote_plus])
        pairs = [(quote(self.text()), quote(self.text(), safe='')) for _ in range(self.r.randrange(6))]
        pairs += [self.r.choice([('a', '1'), ('a', '0'), ('A', 'x')])
                  for _ in range(self.r.randrange(3))]
        pairs.append(('Action', 'GetQueueUrl'))  # what is no action of the path comes first
        self.r.shuffle(pairs)
        return '&'.join(f'{k}={v}' for k, v in pairs if k)

    def headers(self):
        h = [('Content-Type', 'application/octet-stream')]
        for _ in range(self.r.randrange(4)):
            value = self.text(20).replace('\t', ' \t ').encode('ascii', 'ignore').decode()
            h.append((self.r.choice(['My-Header', 'my-header', 'X-Amz-Meta', 'Accept']), value))
        return h

    def request(self):
        method = self.r.choice(['GET', 'POST'])
        body = b'' if method == 'GET' else self.text(200).encode()
        query = self.query()
        url = self.base + self.path() + (f'?{query}' if query else '')
        if self.r.random() < 0.3:
            more = dict(signer=botocore.auth.SigV4QueryAuth, expires=self.r.randrange(60, 3600))
            # It parses the query and encodes it anew; its body is part of the query then.
            return signed('GET', url, **more)
        how = dict(key=TEMPORARY['account'], secret=TEMPORARY['secret'],
                   token=TEMPORARY['token']) if self.r.random() < 0.2 else {}
        headers = self.headers()
        digest = self.r.choice([None, None, 'UNSIGNED-PAYLOAD', hashlib.sha256(body).hexdigest()])
        if digest:
            headers.append(('X-Amz-Content-SHA256', digest))
        return signed(method, url, headers, body, **how)


def is_mismatch(status, text):
    return status == 403 and 'SignatureDoesNotMatch' in text


def changed(r, request):
    """One thing other than what was signed."""
    method, url, headers, body = request
    where = r.randrange(4)
    if where == 0:
        return {'GET': 'POST', 'POST': 'GET'}[method], url, headers, body
    if where == 1:
        return method, url + ('&' if '?' in url else '?') + 'zzz=1', headers, body
    if where == 2:
        parts = urllib.parse.urlsplit(url)
        return method, urllib.parse.urlunsplit(parts._replace(path=parts.path + '/other')), headers, body
    return method, url, [(k, f'{v}0' if k == 'Host' else v) for k, v in headers], body


def test_differential(toque):
    """Against botocore's signer: what it signs is good, what was changed is not."""
    port = toque.queue_ports[0]
    chance = Chance(SEED, port)
    good = 0
    for i in range(REQUESTS):
        request = chance.request()
        status, text = send(port, wire(*request))
        assert status != 403, (SEED, i, request, text)
        good += 'AccessDenied' not in text
        other = changed(chance.r, request)
        status, text = send(port, wire(*other))
        assert is_mismatch(status, text), (SEED, i, request, other, text)
    assert good == REQUESTS


STREAMING = ['STREAMING-AWS4-HMAC-SHA256-PAYLOAD', 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER',
             'STREAMING-UNSIGNED-PAYLOAD-TRAILER', 'STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD']


@pytest.mark.parametrize('form', STREAMING)
def test_bodies_in_signed_chunks(toque, form):
    """No SDK sends these forms to SQS or SNS, they are those of S3: the body is taken as it is, so its
    digest is not what was signed."""
    plain = b'{"QueueName":"chunked"}'
    body = b'%x;chunk-signature=%s\r\n%s\r\n0;chunk-signature=%s\r\n\r\n' % (
        len(plain), b'a' * 64, plain, b'b' * 64)
    headers = [('X-Amz-Target', 'AmazonSQS.CreateQueue'), ('Content-Type', 'application/x-amz-json-1.0'),
               ('Content-Encoding', 'aws-chunked'), ('X-Amz-Decoded-Content-Length', str(len(plain))),
               ('X-Amz-Content-SHA256', form)]
    status, text = send(toque.queue_ports[0], wire(*signed('POST', toque.queue_url, headers, body)))
    error = json.loads(text)
    assert status == 403 and error['__type'].endswith('#InvalidSignatureException')
    assert error['message'].startswith('The request signature we calculated does not match the signature '
                                       'you provided.')
    query = b'Action=CreateTopic&Name=chunked'
    body = b'%x;chunk-signature=%s\r\n%s\r\n0;chunk-signature=%s\r\n\r\n' % (
        len(query), b'a' * 64, query, b'b' * 64)
    headers = [('Content-Type', 'application/x-www-form-urlencoded'), *headers[2:]]
    assert is_mismatch(*send(toque.topic_port, wire(*signed('POST', toque.topic_url + '/?Action=ListTopics',
                                                            headers, body, service='sns'))))
    assert 'QueueUrls' not in client(toque, 'sqs').list_queues()
    assert client(toque, 'sns').list_topics()['Topics'] == []


def test_presigned_urls(toque):
    sqs = client(toque, 'sqs')
    url = sqs.create_queue(QueueName='q')['QueueUrl']
    sqs.send_message(QueueUrl=url, MessageBody='hello')
    for base in (toque.queue_url, toque.topic_url):
        request = signed('GET', f'{base}/{ACCOUNT}/q?Action=ReceiveMessage&VisibilityTimeout=0',
                         signer=botocore.auth.SigV4QueryAuth, expires=60)
        port = urllib.parse.urlsplit(base).port
        status, text = send(port, wire(*request))
        assert status == 200 and '<Body>hello</Body>' in text
        status, text = send(port, wire(request[0], request[1].replace('Timeout=0', 'Timeout=1'),
                                       *request[2:]))
        assert is_mismatch(status, text)


def at(monkeypatch, offset_s):
    now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
    monkeypatch.setattr(botocore.auth, 'get_current_datetime',
                        lambda *a, **k: now + datetime.timedelta(seconds=offset_s))


def test_times(toque, monkeypatch):
    port = toque.queue_ports[0]
    url = f'{toque.queue_url}/?Action=ListQueues'
    for offset_s in (-14 * 60, 14 * 60):
        at(monkeypatch, offset_s)
        assert send(port, wire(*signed('GET', url)))[0] == 200
    at(monkeypatch, -16 * 60)
    status, text = send(port, wire(*signed('GET', url)))
    assert is_mismatch(status, text) and 'Signature expired: ' in text and '- 15 min.)' in text
    at(monkeypatch, 16 * 60)
    status, text = send(port, wire(*signed('GET', url)))
    assert is_mismatch(status, text) and 'Signature not yet current: ' in text
    at(monkeypatch, -61)
    query = dict(signer=botocore.auth.SigV4QueryAuth)
    status, text = send(port, wire(*signed('GET', url, expires=60, **query)))
    assert status == 400 and '<Code>RequestExpired</Code>' in text
    assert send(port, wire(*signed('GET', url, expires=3600, **query)))[0] == 200


def test_malformed(toque):
    port = toque.queue_ports[0]
    for authorization, text in (
            ('AWS4-HMAC-SHA256', "requires 'Credential' parameter. Authorization header requires"),
            ('AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=x',
             'Credential must have exactly 5 slash-delimited elements')):
        status, answer = ask(port, 'GET', '/?Action=ListQueues', {'Authorization': authorization})
        assert status == 400 and '<Code>IncompleteSignature</Code>' in answer and text in answer
    method, url, headers, body = signed('GET', f'{toque.queue_url}/?Action=ListQueues')
    headers = [(k, v) for k, v in headers if k != 'X-Amz-Date']
    status, answer = send(port, wire(method, url, headers, body))
    assert status == 400 and "existence of either a 'X-Amz-Date' or a 'Date' header" in answer
