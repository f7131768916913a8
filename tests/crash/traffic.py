"""Calls by hand, quick and without a client library's retries: every one is made once, and its outcome
is known or unknown. And the ledger: what was acknowledged, against what is there."""
import http.client, json, re, threading
from urllib.parse import urlencode

ACCOUNT, REGION = '000000000000', 'us-east-1'
MARK = 'toque-mark-'


class Lost(Exception):
    """The daemon went away before it answered: the outcome is unknown."""


class Refused(Exception):
    """An answer that is no success: nothing of the call may remain."""

    def __init__(self, status, text):
        super().__init__(f'{status}: {text}')
        self.status, self.text = status, text


class Caller:
    """One connection to a door."""

    def __init__(self, port, timeout=30):
        self.http = http.client.HTTPConnection('127.0.0.1', port, timeout=timeout)

    def close(self):
        self.http.close()

    def _post(self, body, headers):
        try:
            self.http.request('POST', '/', body, headers)
            answer = self.http.getresponse()
            text = answer.read().decode()
        except (OSError, http.client.HTTPException) as gone:
            self.http.close()
            raise Lost(str(gone)) from gone
        if answer.status != 200:
            raise Refused(answer.status, text)
        return text

    def sqs(self, action, **members):
        return json.loads(self._post(json.dumps(members), {
            'Content-Type': 'application/x-amz-json-1.0', 'X-Amz-Target': f'AmazonSQS.{action}'}) or '{}')

    def sns(self, action, **members):
        return self._post(urlencode({'Action': action, 'Version': '2010-03-31', **members}),
                          {'Content-Type': 'application/x-www-form-urlencoded'})

    # --- the calls that the tests make ------------------------------------------------------------

    def create_queue(self, name, **attributes):
        return self.sqs('CreateQueue', QueueName=name, Attributes=attributes)['QueueUrl']

    def send(self, url, body):
        return self.sqs('SendMessage', QueueUrl=url, MessageBody=body)['MessageId']

    def receive(self, url, count=10, wait=0, **more):
        return self.sqs('ReceiveMessage', QueueUrl=url, MaxNumberOfMessages=count,
                        WaitTimeSeconds=wait, **more).get('Messages', [])

    def delete(self, url, handle):
        self.sqs('DeleteMessage', QueueUrl=url, ReceiptHandle=handle)

    def create_topic(self, name):
        return re.search(r'<TopicArn>(.*?)</TopicArn>', self.sns('CreateTopic', Name=name)).group(1)

    def subscribe(self, topic, queue_name, raw=True):
        form = {'Attributes.entry.1.key': 'RawMessageDelivery',
                'Attributes.entry.1.value': 'true'} if raw else {}
        self.sns('Subscribe', TopicArn=topic, Protocol='sqs',
                 Endpoint=f'arn:aws:sqs:{REGION}:{ACCOUNT}:{queue_name}', **form)

    def publish(self, topic, text):
        answer = self.sns('Publish', TopicArn=topic, Message=text)
        return re.search(r'<MessageId>(.*?)</MessageId>', answer).group(1)

    def drain(self, url):
        """Every body that can be received now, each hidden by its receive; nothing is deleted."""
        bodies = []
        while True:
            got = self.receive(url)
            if not got:
                return bodies
            bodies += [m['Body'] for m in got]


class Ledger:
    """What happened to every marked message, as its caller knows it; one per queue."""

    def __init__(self):
        self.lock = threading.Lock()
        self.tried, self.sent, self.going, self.deleted = set(), {}, set(), set()

    def check(self, bodies, exact=False):
        """Holds what is there against what is known. `exact`: no call's outcome is unknown."""
        there = [mark_of(b) for b in bodies]
        doubled = {m for m in there if there.count(m) > 1} if len(set(there)) != len(there) else set()
        there = set(there)
        lost = set(self.sent) - self.going - there
        assert not doubled, f'doubled: {sorted(doubled)[:20]}'
        assert not lost, f'{len(lost)} acknowledged are lost: {sorted(lost)[:20]}'
        back = there & self.deleted
        assert not back, f'{len(back)} deleted are back: {sorted(back)[:20]}'
        strange = there - self.tried
        assert not strange, f'never sent: {sorted(strange)[:20]}'
        if exact:
            refused = there - set(self.sent)
            assert not refused, f'refused, and there all the same: {sorted(refused)[:20]}'

    def settle(self, bodies):
        """After a crash: what is there counts as sent, what is gone as deleted."""
        there = {mark_of(b) for b in bodies}
        self.sent = {m: self.sent.get(m) for m in there}
        self.deleted |= self.going - there
        self.going = set()


def body_of(mark, size=0):
    return f'{MARK}{mark:08d}'.ljust(size, '.')


def mark_of(body):
    return int(re.search(MARK + r'(\d{8})', body).group(1))
