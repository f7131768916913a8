"""A first day with Celery on SQS: tasks with results of their own making, a retry, a countdown;
test_clients.py says what is wanted."""
import os, threading

from celery import Celery
from celery.contrib.testing.worker import start_worker

host = os.environ['ENDPOINT'].split('//')[1]
app = Celery('day', broker=f'sqs://test:test@{host}')
app.conf.update(broker_transport_options={'region': 'us-east-1', 'is_secure': False, 'wait_time_seconds': 1,
                                          'visibility_timeout': 30, 'queue_name_prefix': 'celery-'},
                broker_connection_retry_on_startup=True, worker_enable_remote_control=False,
                task_default_queue='work', worker_prefetch_multiplier=1)
done, arrived, tries = [], threading.Event(), []


@app.task
def add(a, b):
    done.append(a + b)
    if len(done) == 3:
        arrived.set()


@app.task(bind=True, max_retries=3)
def stubborn(self):
    tries.append(1)
    if len(tries) < 2:
        raise self.retry(countdown=0)
    arrived.set()


with start_worker(app, perform_ping_check=False, pool='solo', shutdown_timeout=20):
    for n in range(3):
        add.delay(n, 10)
    assert arrived.wait(60) and sorted(done) == [10, 11, 12], done
    print('did tasks', flush=True)
    arrived.clear()
    stubborn.delay()
    assert arrived.wait(60) and len(tries) == 2, tries
    print('did retry', flush=True)
