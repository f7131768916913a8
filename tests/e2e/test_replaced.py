"""A daemon whose store somebody else has taken writes nothing more, answers nothing but that it cannot, and
ends with an exit status of its own; the next one goes on from what was acknowledged."""
import sqlite3

import pytest
from botocore.exceptions import BotoCoreError, ClientError

REPLACED = 3
REFUSED = (ClientError, BotoCoreError)  # 503, or the connection is gone


def take_epoch(file):
    """As a second owner would."""
    with sqlite3.connect(file) as db:
        db.execute("UPDATE meta SET value = value + 1 WHERE key = 'epoch'")


def rows(file, table):
    with sqlite3.connect(file) as db:
        return db.execute(f'SELECT count(*) FROM {table}').fetchone()[0]


def test_queued_is_replaced(toque):
    sqs, file = toque.sqs(), toque.folder / 'queued' / 'queued.db'
    url = sqs.create_queue(QueueName='q')['QueueUrl']
    sqs.send_message(QueueUrl=url, MessageBody='kept')
    take_epoch(file)
    before = rows(file, 'message')
    with pytest.raises(REFUSED):
        sqs.send_message(QueueUrl=url, MessageBody='never')
    assert toque.queued.wait_end() == REPLACED
    assert 'another process has taken over the store' in toque.queued.tail()
    assert rows(file, 'message') == before
    toque.queued.start()
    got = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)['Messages']
    assert [m['Body'] for m in got] == ['kept']
    toque.wait_linked()


def test_topicd_is_replaced(toque):
    sns, file = toque.sns(), toque.folder / 'topicd' / 'topicd.db'
    arn = sns.create_topic(Name='kept')['TopicArn']
    take_epoch(file)
    with pytest.raises(REFUSED):
        sns.create_topic(Name='never')
    assert toque.topicd.wait_end() == REPLACED
    assert rows(file, 'topic') == 1
    toque.topicd.start()
    assert [t['TopicArn'] for t in sns.list_topics()['Topics']] == [arn]
