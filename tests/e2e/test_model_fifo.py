"""The model of test_model.py for FIFO queues: random histories of all actions with moved time and sudden
deaths. Within a group everything is foreseen: what may be taken is what stands before its first hidden
message, in the order of arrival. Which group is next the daemon chooses; but it takes all that it can of
one before it goes on, and none twice.

TOQUE_MODEL_SEED=n repeats a history, TOQUE_MODEL_STEPS=n makes it longer."""
import pytest

from daemons import Daemon, free_port
from test_model import Handle, HIDDEN_MAX_MS, History, Message, Model, SEEDS, STEPS

WINDOW_MS = 300000


class FifoModel(Model):
    def create(self):
        super().create()
        self.known = {}   # deduplication id -> (first sent, MessageId)

    def visible_of(self, group):
        """What may be taken of it now."""
        free = []
        for m in self.messages:
            if m.group == group:
                if m.due_ms > self.now_ms:
                    break
                free.append(m)
        return free

    def free(self):
        return {g: f for g in dict.fromkeys(m.group for m in self.messages) if (f := self.visible_of(g))}

    def redelay(self):
        """The queue's delay is that of every message that was never received."""
        for m in self.messages:
            if not m.receives:
                m.due_ms = m.sent_ms + self.delay_s * 1000 if self.delay_s else 0


class FifoHistory(History):
    MODEL, NAME = FifoModel, 'model.fifo'
    CREATION = {'FifoQueue': 'true'}
    STEPS_OF_TIME = [1, 999, 2000, 10000, 61000, 200000, 299999, 900000]

    def entry(self):
        self.serial += 1
        m = Message(f'm{self.serial}', self.model.now_ms,
                    self.model.now_ms + self.model.delay_s * 1000 if self.model.delay_s else 0)
        m.group = f'g{self.chance.choice([1, 1, 1, 2, 2, 3, 4, 5])}'
        m.dedup = f'd{self.serial if self.chance.random() < .7 else self.chance.randint(1, 8)}'
        return m, {'MessageBody': m.body, 'MessageGroupId': m.group, 'MessageDeduplicationId': m.dedup}

    def sent(self, m, answer):
        before = self.model.known.get(m.dedup)
        if before and self.model.now_ms - before[0] < WINDOW_MS:
            self.equal((answer['MessageId'], answer['SequenceNumber']), before[1:], 'answer of a duplicate')
            return
        m.id, m.sequence = answer['MessageId'], answer['SequenceNumber']
        self.model.known[m.dedup] = (self.model.now_ms, m.id, m.sequence)
        if self.model.messages:
            self.equal(m.sequence > self.model.messages[-1].sequence, True, 'sequence numbers grow')
        self.model.messages.append(m)

    def send(self):
        m, members = self.entry()
        self.tell(f'send {members}')
        self.sent(m, self.ok('SendMessage', QueueUrl=self.url, **members))

    def send_batch(self):
        made = [self.entry() for _ in range(self.chance.randint(1, 10))]
        entries = [{'Id': str(n), **e} for n, (_, e) in enumerate(made)]
        self.tell(f'send_batch {entries}')
        answer = self.ok('SendMessageBatch', QueueUrl=self.url, Entries=entries)
        self.equal([d['Id'] for d in answer['Successful']], [e['Id'] for e in entries], 'sent')
        for done in answer['Successful']:
            self.sent(made[int(done['Id'])][0], done)

    def receive(self):
        members = {'MaxNumberOfMessages': self.chance.randint(1, 10)}
        if self.chance.random() < .6:
            members['VisibilityTimeout'] = self.chance.choice([0, 1, 2, 10, 60, 43200])
        self.tell(f'receive {members}')
        got = self.ok('ReceiveMessage', QueueUrl=self.url, AttributeNames=['All'],
                      **members).get('Messages', [])
        free, left = self.model.free(), members['MaxNumberOfMessages']
        self.equal(len(got), min(left, sum(len(f) for f in free.values())), 'how many are received')
        rest = list(got)
        while rest:
            group = rest[0]['Attributes']['MessageGroupId']
            want = free.pop(group, [])[:left]
            self.equal([one['Body'] for one in rest[:len(want)]] if want else rest[0]['Body'],
                       [m.body for m in want], f'what is received of {group}')
            for one, m in zip(rest, want):
                self.equal((one['Attributes']['SequenceNumber'], one['Attributes']['MessageDeduplicationId']),
                           (m.sequence, m.dedup), 'ids of what is received')
                self.received(one, m, members.get('VisibilityTimeout', self.model.visibility_s))
            rest, left = rest[len(want):], left - len(want)

    def received(self, one, m, hide_s):
        super().received(one, m, hide_s)
        self.handles[-1].delivery = m.receives

    def is_good(self, h):
        """Within the delivery that the handle is of."""
        return h.message.due_ms > self.model.now_ms and h.message.receives == h.delivery

    def there(self, h):
        return h.queue == self.model.life and h.message in self.model.messages

    def delete(self):
        h = self.handle()
        if h is None:
            return
        self.tell(f'delete {h.message.body} by the handle of {h.received_ms}')
        status, answer = self.call('DeleteMessage', QueueUrl=self.url, ReceiptHandle=h.text)
        want = 404 if h.queue != self.model.life else 400 if self.there(h) and not self.is_good(h) else 200
        self.equal(status, want, f'delete: {answer}')
        if want == 200:
            self.gone(h)

    def delete_batch(self):
        chosen = [h for h in (self.handle() for _ in range(self.chance.randint(1, 10))) if h]
        if not chosen:
            return
        self.tell(f'delete_batch {[h.message.body for h in chosen]}')
        answer = self.ok('DeleteMessageBatch', QueueUrl=self.url, Entries=[
            {'Id': str(n), 'ReceiptHandle': h.text} for n, h in enumerate(chosen)])
        failed = []
        for n, h in enumerate(chosen):
            if h.queue != self.model.life or (self.there(h) and not self.is_good(h)):
                failed.append(str(n))
            else:
                self.gone(h)
        self.equal([f['Id'] for f in answer.get('Failed', [])], failed, 'entries that failed')

    def change(self):
        h, timeout_s = self.handle(), self.chance.choice([0, 0, 1, 5, 60, 43200])
        if h is None:
            return
        self.tell(f'change {h.message.body} by the handle of {h.received_ms} to {timeout_s}')
        status, answer = self.call('ChangeMessageVisibility', QueueUrl=self.url, ReceiptHandle=h.text,
                                   VisibilityTimeout=timeout_s)
        now_ms = self.model.now_ms
        if h.queue != self.model.life:
            want = 404
        elif not self.there(h) or not self.is_good(h):
            want = 400
        elif timeout_s and now_ms - h.received_ms + timeout_s * 1000 > HIDDEN_MAX_MS:
            want = 400
        else:
            want = 200
            h.message.due_ms = now_ms + timeout_s * 1000 if timeout_s else 0
        self.equal(status, want, f'change: {answer}')

    def purge(self):
        super().purge()
        self.model.known = {}

    def set_attributes(self):
        super().set_attributes()
        self.model.redelay()
        self.clock(0)   # and what another delay makes visible or hides


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
def test_random_history_of_groups(queued, seed):
    FifoHistory(queued, seed).run(STEPS)
