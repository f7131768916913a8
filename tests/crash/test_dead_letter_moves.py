"""kill -9 while messages go to a dead-letter queue and move tasks bring them back: each is in one of the two
queues, once, whatever was interrupted. CRASH_KILLS says how many kills (default 50, of which a fifth here)."""
import os, random, threading

from botocore.exceptions import BotoCoreError, ClientError
from daemons import DEADLINE_S, Toque

KILLS = max(int(os.environ.get('CRASH_KILLS', '50')) // 5, 2)
SEED = int(os.environ.get('CRASH_SEED', '0')) or random.SystemRandom().randrange(1, 1 << 30)
ARN = 'arn:aws:sqs:us-east-1:000000000000:'
MESSAGES = 200


class Mover(threading.Thread):
    """Receives every message once and once too often, and starts move tasks; what fails, fails."""

    def __init__(self, toque, chance):
        super().__init__()
        self.client = lambda: toque.client('sqs', url=toque.queue_url)
        self.chance, self.ended, self.calls = chance, False, threading.Semaphore(0)

    def one(self, sqs):
        if self.chance.random() < 0.2:
            rate = {} if self.chance.random() < 0.5 else {'MaxNumberOfMessagesPerSecond': 500}
            sqs.start_message_move_task(SourceArn=ARN + 'dead', **rate)
        else:
            sqs.receive_message(QueueUrl='work', MaxNumberOfMessages=10, VisibilityTimeout=0)

    def run(self):
        sqs = self.client()
        while not self.ended:
            try:
                self.one(sqs)
            except (BotoCoreError, ClientError):
                pass
            self.calls.release()


def bodies(toque, name):
    status, page = toque.page('GET', f'/_toque/queues/{name}/messages?limit=1000', door='queued')
    assert status == 200
    return [m['Body'] for m in page['Messages']]


def test_each_message_is_in_one_queue(tmp_path):
    print(f'seed {SEED}')
    chance = random.Random(SEED)
    toque = Toque(tmp_path)
    try:
        toque.start()
        sqs = toque.sqs()
        sqs.create_queue(QueueName='dead')
        sqs.create_queue(QueueName='work', Attributes={
            'RedrivePolicy': f'{{"deadLetterTargetArn":"{ARN}dead","maxReceiveCount":1}}'})
        for first in range(0, MESSAGES, 10):
            sqs.send_message_batch(QueueUrl='work', Entries=[
                {'Id': str(n), 'MessageBody': f'm{first + n}'} for n in range(10)])
        mover = Mover(toque, random.Random(SEED + 1))
        mover.start()
        try:
            for _ in range(KILLS):
                for _ in range(chance.randint(1, 200)):
                    assert mover.calls.acquire(timeout=DEADLINE_S)
                toque.queueds[0].kill()
                toque.queueds[0].start()
        finally:
            mover.ended = True
            mover.join()
        tasks = sqs.list_message_move_tasks(SourceArn=ARN + 'dead', MaxResults=10)['Results']
        assert any(t['ApproximateNumberOfMessagesMoved'] for t in tasks)
        for task in tasks:
            if task['Status'] == 'RUNNING':
                sqs.cancel_message_move_task(TaskHandle=task['TaskHandle'])
        work, dead = bodies(toque, 'work'), bodies(toque, 'dead')
        assert sorted(work + dead) == sorted(f'm{n}' for n in range(MESSAGES))
        toque.stop()
    finally:
        toque.kill()
