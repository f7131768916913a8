"""A random workload over real HTTP that writes down what was acknowledged, and the reckoning: nothing
acknowledged may be lost, nothing deleted may come back, nothing may be doubled over the link, and what
one producer published in turn must lie in the queue in that order. A FIFO queue keeps the order of each
group through everything, and a send that is repeated until it is answered is there once."""
import http.client, json, random, re, threading, urllib.parse

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
        self.deleted = set()  # (queue, body)
        self.tried = set()    # a delete was sent: with no answer, it may or may not have happened
        self.seen = {}       # (queue, body) -> MessageIds
        self.wrong = []

    def acknowledged(self, body=None, queues=()):
        with self.lock:
            if body is not None:
                self.sent[body] = queues
            self.turn += 1
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

    def wait_turns(self, n, alive):
        with self.lock:
            goal = self.turn + n
            while self.turn < goal and alive():
                if not self.lock.wait(timeout=20):
                    raise AssertionError('nothing was acknowledged for 20 s')


class Workload:
    """Producers that send and publish, consumers that receive and delete; `kept` is read at the end
    only, so its order is that of arrival."""

    QUEUES = ('worked', 'kept')
    FIFO = 'lined.fifo'

    def __init__(self, topic_port, queue_port, seed, producers=3, consumers=2):
        self.topic_port, self.queue_port, self.seed = topic_port, queue_port, seed
        self.ledger, self.over = Ledger(), threading.Event()
        self.threads = [threading.Thread(target=self.produce, args=(n,), daemon=True)
                        for n in range(producers)]
        self.threads += [threading.Thread(target=self.consume, args=(n,), daemon=True)
                         for n in range(consumers)]
        self.threads += [threading.Thread(target=self.line_up, args=(n,), daemon=True)
                         for n in range(2)]
        self.threads.append(threading.Thread(target=self.take_in_turn, daemon=True))
        self.taken = {}   # group -> the last number that was deleted

    def set_up(self):
        queues, topics = Client(self.queue_port), Client(self.topic_port)
        assert topics.sns('CreateTopic', Name='ledger')[0] == 200
        for name in self.QUEUES:
            assert queues.sqs('CreateQueue', QueueName=name)[0] == 200
            assert topics.sns('Subscribe', TopicArn=TOPIC, Protocol='sqs', **{
                'Endpoint': f'arn:aws:sqs:{REGION}:{ACCOUNT}:{name}',
                'Attributes.entry.1.key': 'RawMessageDelivery',
                'Attributes.entry.1.value': 'true'})[0] == 200

        assert queues.sqs('CreateQueue', QueueName=self.FIFO,
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
        topics, queues, front = (Client(self.topic_port), Client(self.queue_port),
                                 Client(self.topic_port))
        n = 0
        while not self.over.is_set():
            n += 1
            pad = 'x' * chance.choice((0, 10, 300, 5000))
            what = chance.random()
            if what < 0.6:
                body = f'p{number}-{n:07}-{pad}'
                status, _ = topics.sns('Publish', TopicArn=TOPIC, Message=body)
                if status == 200:
                    self.ledger.acknowledged(body, self.QUEUES)
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

    def consume(self, number):
        chance = random.Random(self.seed * 100 + 50 + number)
        client = Client(self.queue_port)
        while not self.over.is_set():
            with self.ledger.lock:
                deleted = set(self.ledger.deleted)
            status, got = client.sqs('ReceiveMessage', QueueUrl='worked', MaxNumberOfMessages=10,
                                     VisibilityTimeout=chance.choice((1, 30)))
            if status != 200:
                continue
            for message in got.get('Messages', []):
                self.ledger.received('worked', message, deleted)
                if chance.random() < 0.8:
                    self.delete(client, message)

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
        client, n = Client(self.queue_port), 0
        while not self.over.is_set():
            n += 1
            body = f'f{number}-{n:07}'
            while client.sqs('SendMessage', QueueUrl=self.FIFO, MessageBody=body,
                             MessageGroupId=body[:2], MessageDeduplicationId=body)[0] != 200:
                if self.over.is_set():
                    return
            self.ledger.acknowledged(body, (self.FIFO,))

    def take_in_turn(self):
        chance, client = random.Random(self.seed * 100 + 80), Client(self.queue_port)
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
        client, order = Client(self.queue_port), []
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
