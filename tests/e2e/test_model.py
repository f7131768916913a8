"""A small model of a standard queue beside the real daemon: random histories of sends, receives, deletes,
changes of visibility, purges, attributes, time and sudden deaths; after every step both must agree, on the
order of what is received too: visible messages come in the order of their arrival.

A history is told by its seed: TOQUE_MODEL_SEED=n repeats one, TOQUE_MODEL_STEPS=n makes it longer."""
import json, os, random, time

import pytest

from daemons import Daemon, UnixConnection, free_port

SEEDS = [int(os.environ['TOQUE_MODEL_SEED'])] if 'TOQUE_MODEL_SEED' in os.environ else [1, 2, 3, 4]
STEPS = int(os.environ.get('TOQUE_MODEL_STEPS', '600'))
HIDDEN_MAX_MS = 43200 * 1000
# So long may the background take for what a step made due.
BACKGROUND_S = 5
# Steps of the history that a difference shows.
SHOWN = 40


class Message:
    def __init__(self, body, sent_ms, due_ms):
        self.body, self.sent_ms, self.due_ms = body, sent_ms, due_ms
        self.id, self.receives, self.first_ms = None, 0, None


class Handle:
    def __init__(self, text, message, received_ms, queue):
        self.text, self.message, self.received_ms, self.queue = text, message, received_ms, queue


class Difference(AssertionError):
    pass


class Model:
    """What a queue holds, and when. Hidden is what is due later than now."""

    def __init__(self, now_ms):
        self.now_ms, self.life = now_ms, 0
        self.create()

    def create(self):
        self.life += 1   # handles of an earlier life are garbage
        self.messages, self.visibility_s, self.delay_s, self.retention_s = [], 30, 0, 345600

    def pass_time(self):
        self.messages = [m for m in self.messages
                         if m.sent_ms + self.retention_s * 1000 > self.now_ms]

    def visible(self):
        return [m for m in self.messages if m.due_ms <= self.now_ms]

    def counts(self):
        hidden = [m for m in self.messages if m.due_ms > self.now_ms]
        leased = sum(1 for m in hidden if m.receives)
        return len(self.messages) - len(hidden), leased, len(hidden) - leased


class History:
    MODEL, NAME, CREATION = Model, 'model', {}
    STEPS_OF_TIME = [1, 500, 999, 1000, 2000, 10000, 61000, 900000, 50000000]

    def __init__(self, queued, seed):
        self.queued, self.chance, self.log = queued, random.Random(seed), []
        self.connection, self.handles, self.serial, self.seed = None, [], 0, seed
        self.model = self.MODEL(self.clock(0))
        self.url = self.create_queue()

    def create_queue(self):
        return self.ok('CreateQueue', QueueName=self.NAME, Attributes=self.CREATION)['QueueUrl']

    # --- the daemon ------------------------------------------------------------------------------

    def exchange(self, path, headers, body):
        if self.connection is None:
            self.connection = UnixConnection(self.queued.options['unix_socket'])
        self.connection.request('POST', path, json.dumps(body), headers)
        answer = self.connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text else {}

    def call(self, action, **members):
        return self.exchange('/', {'X-Amz-Target': 'AmazonSQS.' + action,
                                   'Content-Type': 'application/x-amz-json-1.0'}, members)

    def ok(self, action, **members):
        status, answer = self.call(action, **members)
        self.equal(status, 200, f'{action}: {answer}')
        return answer

    def clock(self, ms):
        status, answer = self.exchange('/_toque/clock', {}, {'advance_ms': ms})
        assert status == 200, answer
        return answer['now_ms']

    # --- telling ---------------------------------------------------------------------------------

    def tell(self, text):
        self.log.append(f'{len(self.log):5} {text}')

    def equal(self, got, want, what):
        if got != want:
            raise Difference(f'seed {self.seed}: {what}\n   daemon: {got}\n   model:  {want}\n'
                             'the last steps:\n' + '\n'.join(self.log[-SHOWN:]))

    # --- steps -----------------------------------------------------------------------------------

    def entry(self):
        self.serial += 1
        body, delay_s = f'm{self.serial}', self.chance.choice([None] * 6 + [0, 1, 7, 900])
        wait_s = self.model.delay_s if delay_s is None else delay_s
        m = Message(body, self.model.now_ms, self.model.now_ms + wait_s * 1000 if wait_s else 0)
        return m, {'MessageBody': body, **({} if delay_s is None else {'DelaySeconds': delay_s})}

    def send(self):
        m, members = self.entry()
        self.tell(f'send {members}')
        m.id = self.ok('SendMessage', QueueUrl=self.url, **members)['MessageId']
        self.model.messages.append(m)

    def send_batch(self):
        made = [self.entry() for _ in range(self.chance.randint(1, 10))]
        bad = self.chance.randrange(len(made)) if self.chance.random() < .2 else None
        entries = [{'Id': str(n), **e} for n, (_, e) in enumerate(made)]
        if bad is not None:
            entries[bad]['DelaySeconds'] = 901
        self.tell(f'send_batch {entries}')
        answer = self.ok('SendMessageBatch', QueueUrl=self.url, Entries=entries)
        self.equal([f['Id'] for f in answer.get('Failed', [])], [] if bad is None else [str(bad)],
                   'entries that failed')
        for done in answer.get('Successful', []):
            m = made[int(done['Id'])][0]
            m.id = done['MessageId']
            self.model.messages.append(m)

    def receive(self):
        members = {'MaxNumberOfMessages': self.chance.randint(1, 10)}
        if self.chance.random() < .6:
            members['VisibilityTimeout'] = self.chance.choice([0, 1, 2, 10, 60, 43200])
        self.tell(f'receive {members}')
        got = self.ok('ReceiveMessage', QueueUrl=self.url, AttributeNames=['All'],
                      **members).get('Messages', [])
        want = self.model.visible()[:members['MaxNumberOfMessages']]
        self.equal([one['Body'] for one in got], [m.body for m in want], 'what is received')
        for one, m in zip(got, want):
            self.received(one, m, members.get('VisibilityTimeout', self.model.visibility_s))

    def received(self, one, m, hide_s):
        now_ms = self.model.now_ms
        m.receives += 1
        m.first_ms = m.first_ms or now_ms
        m.due_ms = now_ms + hide_s * 1000 if hide_s else 0
        self.handles.append(Handle(one['ReceiptHandle'], m, now_ms, self.model.life))
        self.tell(f'        gave {m.body} receives={m.receives}')
        self.equal((one['MessageId'], one['Attributes']['ApproximateReceiveCount'],
                    one['Attributes']['SentTimestamp'],
                    one['Attributes']['ApproximateFirstReceiveTimestamp']),
                   (m.id, str(m.receives), str(m.sent_ms), str(m.first_ms)), 'what is received')

    def handle(self):
        """One of the newest, or any that ever was."""
        if not self.handles:
            return None
        return self.chance.choice(self.handles[-8:] if self.chance.random() < .7 else self.handles)

    def delete(self):
        h = self.handle()
        if h is None:
            return
        self.tell(f'delete {h.message.body} by the handle of {h.received_ms}')
        status, answer = self.call('DeleteMessage', QueueUrl=self.url, ReceiptHandle=h.text)
        self.equal(status, 200 if h.queue == self.model.life else 404, f'delete: {answer}')
        self.gone(h)

    def gone(self, h):
        if h.queue == self.model.life and h.message in self.model.messages:
            self.model.messages.remove(h.message)

    def delete_batch(self):
        chosen = [h for h in (self.handle() for _ in range(self.chance.randint(1, 10))) if h]
        if not chosen:
            return
        self.tell(f'delete_batch {[h.message.body for h in chosen]}')
        answer = self.ok('DeleteMessageBatch', QueueUrl=self.url, Entries=[
            {'Id': str(n), 'ReceiptHandle': h.text} for n, h in enumerate(chosen)])
        self.equal([f['Id'] for f in answer.get('Failed', [])],
                   [str(n) for n, h in enumerate(chosen) if h.queue != self.model.life],
                   'entries that failed')
        for h in chosen:
            self.gone(h)

    def change(self):
        h, timeout_s = self.handle(), self.chance.choice([0, 0, 1, 5, 60, 43200])
        if h is None:
            return
        self.tell(f'change {h.message.body} by the handle of {h.received_ms} to {timeout_s}')
        status, answer = self.call('ChangeMessageVisibility', QueueUrl=self.url, ReceiptHandle=h.text,
                                   VisibilityTimeout=timeout_s)
        now_ms, m = self.model.now_ms, h.message
        if h.queue != self.model.life:
            want = 404
        elif m not in self.model.messages:
            want = 400
        elif timeout_s and now_ms - h.received_ms + timeout_s * 1000 > HIDDEN_MAX_MS:
            want = 400
        else:
            want = 200
            m.due_ms = now_ms + timeout_s * 1000 if timeout_s else 0
        self.equal(status, want, f'change: {answer}')

    def purge(self):
        self.tell('purge')
        self.ok('PurgeQueue', QueueUrl=self.url)
        self.model.messages = []

    def set_attributes(self):
        self.model.visibility_s = self.chance.choice([0, 1, 30, 43200])
        self.model.delay_s = self.chance.choice([0, 0, 0, 3, 900])
        self.model.retention_s = self.chance.choice([60, 3600, 345600, 1209600])
        self.tell(f'set visibility={self.model.visibility_s} delay={self.model.delay_s} '
                  f'retention={self.model.retention_s}')
        self.ok('SetQueueAttributes', QueueUrl=self.url, Attributes={
            'VisibilityTimeout': str(self.model.visibility_s), 'DelaySeconds': str(self.model.delay_s),
            'MessageRetentionPeriod': str(self.model.retention_s)})
        self.clock(0)   # what the new retention makes due is gone with the turn of this call
        self.model.pass_time()

    def advance(self):
        ms = self.chance.choice(self.STEPS_OF_TIME)
        self.tell(f'advance {ms} ms')
        self.model.now_ms += ms
        self.equal(self.clock(ms), self.model.now_ms, 'the time')
        self.model.pass_time()

    def create_again(self):
        self.tell('delete the queue and create it again')
        self.ok('DeleteQueue', QueueUrl=self.url)
        self.create_queue()
        self.model.create()

    def die(self):
        orderly = self.chance.random() < .3
        self.tell('SIGTERM, start' if orderly else 'kill -9, start')
        self.connection.close()
        self.connection = None
        self.queued.stop() if orderly else self.queued.kill()
        self.queued.start()
        now_ms = self.clock(0)   # what it was, or the real time where that is later
        self.equal(now_ms >= self.model.now_ms, True, 'time goes on after a restart')
        self.model.now_ms = now_ms
        self.model.pass_time()

    def counts(self):
        a = self.ok('GetQueueAttributes', QueueUrl=self.url, AttributeNames=['All'])['Attributes']
        return tuple(int(a['ApproximateNumberOfMessages' + which]) for which in ('', 'NotVisible', 'Delayed'))

    def check(self):
        """What falls due in masses follows in the background: it has some time for that."""
        end = time.monotonic() + BACKGROUND_S
        while (got := self.counts()) != self.model.counts() and time.monotonic() < end:
            pass
        self.equal(got, self.model.counts(), 'visible, in flight, delayed')

    def run(self, steps):
        kinds = [(self.send, 20), (self.send_batch, 8), (self.receive, 25), (self.delete, 18),
                 (self.delete_batch, 5), (self.change, 12), (self.purge, .6), (self.set_attributes, 3),
                 (self.advance, 12), (self.create_again, .4), (self.die, 1)]
        for step in self.chance.choices([k for k, _ in kinds], [w for _, w in kinds], k=steps):
            step()
            self.check()


@pytest.fixture
def queued(tmp_path):
    d = Daemon('queued', {'http_port': free_port(), 'data_dir': str(tmp_path), 'link_url': '',
                          'unix_socket': str(tmp_path / 's'), 'clock': 'manual',
                          'strict_waits': 'false'})
    try:
        yield d.start()
        d.stop()
    finally:
        d.kill()


@pytest.mark.parametrize('seed', SEEDS)
def test_random_history(queued, seed):
    History(queued, seed).run(STEPS)
