"""A random workload over real HTTP that writes down what was acknowledged, and the reckoning: nothing
acknowledged may be lost, nothing deleted may come back, nothing may be doubled over the link, and what
one producer published in turn must lie in the queue in that order. A FIFO queue keeps the order of each
group through everything, and a send that is repeated until it is answered is there once."""
import http.client, json, random, re, threading, time, urllib.parse

ACCOUNT, REGION = '000000000000', 'us-east-1'
TOPIC = f'arn:aws:sns:{REGION}:{ACCOUNT}:ledger'
AWAY = (OSError, http.client.HTTPException)


class Client:
    """One connection to one port, dialled again after every failure."""

    def __init__(self, port):
        self.port, self.connection = port, None

    def post(self, headers, body):
        try:
            if self.connection is None:
                self.connection = http.client.HTTPConnection('127.0.0.1', self.port, timeout=60)
            self.connection.request('POST', '/', body, headers)
            answer = self.connection.getresponse()
            return answer.status, answer.read()
        except AWAY:
            self.connection = None
            return 0, b''

    def sqs(self, action, **body):
        status, text = self.post({'X-Amz-Target': f'AmazonSQS.{action}',
                                  'Content-Type': 'application/x-amz-json-1.0'}, json.dumps(body))
        return status, json.loads(text or b'{}') if status == 200 else text

    def sns(self, action, **form):
        return self.post({'Content-Type': 'application/x-www-form-urlencoded'}, urllib.parse.urlencode(
            {'Action': action, 'Version': '2010-03-31', **form}))


class Ledger:
    """What was promised. `turn` counts acknowledgements: the killer waits for it, not for time."""

    def __init__(self):
        self.lock = threading.Condition()
        self.turn = 0
        self.sent = {}       # body -> queues that must have it
        self.when = {}       # published body -> the turn of its acknowledgement
        self.flying = set()  # being published
        self.excused = set()  # may be lost: topicd is an older copy of itself
        self.hidden = {}     # (queue, MessageId) -> when it was received last, and hidden until
        self.deleted = set()  # (queue, body)
        self.tried = set()    # a delete was sent: with no answer, it may or may not have happened
        self.seen = {}       # (queue, body) -> MessageIds
        self.wrong = []

    def acknowledged(self, body=None, queues=()):
        with self.lock:
            self.turn += 1
            if body is not None:
                self.sent[body] = queues
                self.when[body] = self.turn
            self.lock.notify_all()

    def received(self, queue, message, deleted_before):
        body = message['Body']
        with self.lock:
            ids = self.seen.setdefault((queue, body), set())
            ids.add(message['MessageId'])
            if len(ids) > 1:
                self.wrong.append(f'doubled: {queue} {body} {ids}')
            if (queue, body) in deleted_before:
                self.wrong.append(f'deleted and back: {queue} {body}')

    def hides(self, queue, message, span, hide_ms):
        """It was received within `span`, as two readings of the test's clock and two of its queued's: a
        receive that began when an earlier one had ended came when that one's time was over."""
        key, (began, from_ms, to_ms, ended) = (queue, message['MessageId']), span
        with self.lock:
            last, until_ms = self.hidden.get(key, (0, 0))
            if last < began and to_ms < until_ms:
                self.wrong.append(f'early: {queue} {message["Body"][:40]}')
            if last < ended:
                self.hidden[key] = ended, from_ms + hide_ms

    def shows(self, queue, message):
        """Its visibility is changed: from now on it may come at any time."""
        with self.lock:
            self.hidden[queue, message['MessageId']] = float('inf'), 0

    def excuse(self, since):
        """What was published in a later turn, or is being published, may be lost."""
        with self.lock:
            self.excused |= self.flying | {b for b, turn in self.when.items()
                                           if turn > since and b.startswith('p')}

    def wait_turns(self, n, deadline_s=20, must=True):
        with self.lock:
            goal = self.turn + n
            while self.turn < goal:
                if self.lock.wait(timeout=deadline_s):
                    continue
                assert not must, f'nothing was acknowledged for {deadline_s} s'
                return


class Workload:
    """Producers that send and publish, consumers that receive and delete; `kept` is read at the end
    only, so its order is that of arrival."""

    QUEUES = ('worked', 'kept')
    FIFO = 'lined.fifo'

    def __init__(self, topic_port, queue_ports, seed, producers=3, consumers=2, clock_of=None):
        """`clock_of(n)`: what the manual clock of the n-th queued shows, None: that cannot be read."""
        self.topic_port, self.seed, self.clock_of = topic_port, seed, clock_of
        names = [*self.QUEUES, self.FIFO]
        self.ports = {name: queue_ports[n % len(queue_ports)] for n, name in enumerate(names)}
        self.ledger, self.over = Ledger(), threading.Event()
        self.threads = [threading.Thread(target=self.produce, args=(n,), daemon=True)
                        for n in range(producers)]
        self.threads += [threading.Thread(target=self.consume, args=(n,), daemon=True)
                         for n in range(consumers)]
        self.threads += [threading.Thread(target=self.line_up, args=(n,), daemon=True)
                         for n in range(2)]
        self.threads.append(threading.Thread(target=self.take_in_turn, daemon=True))
        self.taken = {}   # group -> the last number that was deleted

    def at(self, name):
        """A connection to the queued that has the queue."""
        return Client(self.ports[name])

    def set_up(self):
        topics = Client(self.topic_port)
        assert topics.sns('CreateTopic', Name='ledger')[0] == 200
        for name in self.QUEUES:
            assert self.at(name).sqs('CreateQueue', QueueName=name)[0] == 200
            assert topics.sns('Subscribe', TopicArn=TOPIC, Protocol='sqs', **{
                'Endpoint': f'arn:aws:sqs:{REGION}:{ACCOUNT}:{name}',
                'Attributes.entry.1.key': 'RawMessageDelivery',
                'Attributes.entry.1.value': 'true'})[0] == 200

        assert self.at(self.FIFO).sqs('CreateQueue', QueueName=self.FIFO,
                                      Attributes={'FifoQueue': 'true'})[0] == 200

    def start(self):
        for t in self.threads:
            t.start()

    def finish(self):
        self.over.set()
        for t in self.threads:
            t.join(90)
            assert not t.is_alive()

    def produce(self, number):
        chance = random.Random(self.seed * 100 + number)
        topics, queues, front = Client(self.topic_port), self.at('worked'), Client(self.topic_port)
        n = 0
        while not self.over.is_set():
            n += 1
            pad = 'x' * chance.choice((0, 10, 300, 5000))
            what = chance.random()
            if what < 0.6:
                body = f'p{number}-{n:07}-{pad}'
                self.publish(topics, body)
            elif what < 0.8:
                body = f's{number}-{n:07}-{pad}'
                status, _ = (queues if what < 0.7 else front).sqs('SendMessage', QueueUrl='worked',
                                                                  MessageBody=body)
                if status == 200:
                    self.ledger.acknowledged(body, ('worked',))
            else:
                entries = [{'Id': str(i), 'MessageBody': f'b{number}-{n:07}-{i}-{pad}'}
                           for i in range(chance.randint(1, 10))]
                status, answer = queues.sqs('SendMessageBatch', QueueUrl='worked', Entries=entries)
                if status == 200:
                    for e in entries:
                        self.ledger.acknowledged(e['MessageBody'], ('worked',))

    def publish(self, topics, body):
        with self.ledger.lock:
            self.ledger.flying.add(body)
        status, _ = topics.sns('Publish', TopicArn=TOPIC, Message=body)
        if status == 200:
            self.ledger.acknowledged(body, self.QUEUES)
        with self.ledger.lock:
            self.ledger.flying.discard(body)

    def consume(self, number):
        chance = random.Random(self.seed * 100 + 50 + number)
        client = self.at('worked')
        while not self.over.is_set():
            with self.ledger.lock:
                deleted = set(self.ledger.deleted)
            hide_s = chance.choice((1, 30))
            began, from_ms = time.monotonic(), self.clock(chance)
            status, got = client.sqs('ReceiveMessage', QueueUrl='worked', MaxNumberOfMessages=10,
                                     VisibilityTimeout=hide_s)
            if status != 200:
                continue
            to_ms, ended = self.clock(chance) if from_ms else None, time.monotonic()
            for message in got.get('Messages', []):
                self.ledger.received('worked', message, deleted)
                if to_ms:
                    self.ledger.hides('worked', message, (began, from_ms, to_ms, ended), 1000 * hide_s)
                if chance.random() < 0.8:
                    self.delete(client, message)
                elif chance.random() < 0.5:
                    self.ledger.shows('worked', message)
                    client.sqs('ChangeMessageVisibility', QueueUrl='worked',
                               ReceiptHandle=message['ReceiptHandle'],
                               VisibilityTimeout=chance.choice((0, 5)))

    def clock(self, chance):
        """The time of the queued that has 'worked', often."""
        return self.clock_of(0) if self.clock_of and chance.random() < 0.7 else None

    def delete(self, client, message):
        with self.ledger.lock:
            self.ledger.tried.add(message['Body'])
        status, _ = client.sqs('DeleteMessage', QueueUrl='worked', ReceiptHandle=message['ReceiptHandle'])
        if status == 200:
            with self.ledger.lock:
                self.ledger.deleted.add(('worked', message['Body']))
            self.ledger.acknowledged()

    def line_up(self, number):
        """Sends to the FIFO queue, each message until it is answered."""
        client, n = self.at(self.FIFO), 0
        while not self.over.is_set():
            n += 1
            body = f'f{number}-{n:07}'
            while client.sqs('SendMessage', QueueUrl=self.FIFO, MessageBody=body,
                             MessageGroupId=body[:2], MessageDeduplicationId=body)[0] != 200:
                if self.over.is_set():
                    return
            self.ledger.acknowledged(body, (self.FIFO,))

    def take_in_turn(self):
        chance, client = random.Random(self.seed * 100 + 80), self.at(self.FIFO)
        while not self.over.is_set():
            status, got = client.sqs('ReceiveMessage', QueueUrl=self.FIFO, MaxNumberOfMessages=10,
                                     VisibilityTimeout=5, WaitTimeSeconds=1)
            messages = got.get('Messages', []) if status == 200 else []
            self.in_order([m['Body'] for m in messages])
            for m in messages[:chance.randint(0, 10)]:
                with self.ledger.lock:
                    self.ledger.tried.add(m['Body'])
                if client.sqs('DeleteMessage', QueueUrl=self.FIFO, ReceiptHandle=m['ReceiptHandle'])[0] != 200:
                    break
                self.taken[m['Body'][:2]] = m['Body']

    def in_order(self, bodies):
        """Within a receive, and behind what was deleted before."""
        last = dict(self.taken)
        for body in bodies:
            if body <= last.get(body[:2], ''):
                self.ledger.wrong.append(f'out of order: {body} after {last[body[:2]]}')
            last[body[:2]] = body

    # --- the reckoning -----------------------------------------------------------------------------

    def drain(self, name):
        """Everything that is there, in the order of receiving, deleted."""
        client, order = self.at(name), []
        while True:
            status, got = client.sqs('ReceiveMessage', QueueUrl=name, MaxNumberOfMessages=10)
            assert status == 200, got
            if not got.get('Messages'):
                return order
            for m in got['Messages']:
                order.append(m['Body'])
                self.ledger.received(name, m, self.ledger.deleted)
            status, done = client.sqs('DeleteMessageBatch', QueueUrl=name, Entries=[
                {'Id': str(n), 'ReceiptHandle': m['ReceiptHandle']} for n, m in enumerate(got['Messages'])])
            assert status == 200 and 'Failed' not in done

    def reckon(self):
        """Call when everything is visible. Returns how much was promised."""
        kept, worked = self.drain('kept'), set(self.drain('worked'))
        lined = self.drain(self.FIFO)
        self.in_order(lined)   # and so none is there twice
        for body, queues in self.ledger.sent.items():
            if self.FIFO in queues:
                if body not in set_of(lined) and body not in self.ledger.tried:
                    self.ledger.wrong.append(f'lost in {self.FIFO}: {body}')
                continue
            if body in self.ledger.excused:
                continue
            if 'kept' in queues and body not in set_of(kept):
                self.ledger.wrong.append(f'lost in kept: {body[:40]}')
            if body not in worked and body not in self.ledger.tried:
                self.ledger.wrong.append(f'lost in worked: {body[:40]}')
        last = {}
        for body in kept:
            producer, number = re.match(r'(p\d+)-(\d+)', body).groups()
            if last.get(producer, '') >= number:
                self.ledger.wrong.append(f'out of order: {producer} {number} after {last[producer]}')
            last[producer] = number
        assert not self.ledger.wrong, (f'seed {self.seed}: {len(self.ledger.wrong)} wrong:\n' +
                                       '\n'.join(self.ledger.wrong[:20]))
        return len(self.ledger.sent)


def set_of(items, known={}):
    """The set of a list that is asked again and again."""
    if id(items) not in known:
        known[id(items)] = (items, set(items))
    return known[id(items)][1]
