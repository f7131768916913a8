"""Store files that are deleted, replaced, emptied or moved while the daemon runs: it says so and acknowledges
nothing more, touches nothing that stands in their place, and goes on when they are back."""
import os, shutil

import pytest

from hostile import call, health, wait_for

LINE = 'while it was in use'


def delete(store):
    for file in store.parent.iterdir():
        file.unlink()


def delete_log(store):
    store.with_name(store.name + '-wal').unlink()


def replace(store):
    copy = store.with_name('copy')
    shutil.copy(store, copy)
    os.replace(copy, store)


def empty(store):
    os.truncate(store, 0)


def move(store):
    store.parent.rename(store.parent.with_name('elsewhere'))


def failing(port):
    return health(port)['status'] == 'failing'


@pytest.mark.parametrize('harm', [delete, delete_log, replace, empty, move])
def test_noticed_when_idle(toque, harm):
    for daemon, port, name in ((toque.queued, toque.queue_ports[0], 'queued'),
                               (toque.topicd, toque.topic_port, 'topicd')):
        toque.sqs().create_queue(QueueName='q')
        toque.sns().create_topic(Name='t')
        harm(toque.folder / name / f'{name}.db')
        daemon.wait_line(LINE)
        wait_for(lambda: failing(port), 'it is failing')
        if name == 'queued':
            assert call(port, 'SendMessage', QueueUrl='q', MessageBody='never')[0] == 503
            shutil.rmtree(toque.folder / 'elsewhere', ignore_errors=True)
            (toque.folder / name).mkdir(exist_ok=True)
            daemon.kill()
            delete(toque.folder / name / f'{name}.db')
            daemon.start()
            toque.topicd.wait_line('queued is up')
        else:
            assert 'ServiceUnavailable' in refused(toque)
            daemon.kill()


def refused(toque):
    with pytest.raises(Exception) as refusal:
        toque.sns().create_topic(Name='never')
    return str(refusal.value) + ' ServiceUnavailable' * ('503' in str(refusal.value))


def test_noticed_before_an_answer(toque):
    """After a silence the first send is refused, not acknowledged and lost."""
    port = toque.queue_ports[0]
    toque.sqs().create_queue(QueueName='q')
    before = health(port)['turns']
    wait_for(lambda: health(port)['uptime_s'] >= 3 and health(port)['turns'] > before, 'a silence')
    (toque.folder / 'queued' / 'queued.db').unlink()
    assert call(port, 'SendMessage', QueueUrl='q', MessageBody='never')[0] == 503


def test_moved_and_moved_back(toque):
    """Whoever moves the files back gets everything that was acknowledged, and a daemon that works."""
    port, folder = toque.queue_ports[0], toque.folder / 'queued'
    toque.sqs().create_queue(QueueName='q')
    call(port, 'SendMessage', QueueUrl='q', MessageBody='kept')
    folder.rename(toque.folder / 'elsewhere')
    toque.queued.wait_line(LINE)
    (toque.folder / 'elsewhere').rename(folder)
    toque.queued.wait_line('the store works again')
    assert call(port, 'SendMessage', QueueUrl='q', MessageBody='kept, too')[0] == 200
    toque.queued.stop()
    toque.queued.start()
    got = call(port, 'ReceiveMessage', QueueUrl='q', MaxNumberOfMessages=10)[1]['Messages']
    assert [m['Body'] for m in got] == ['kept', 'kept, too']
    toque.topicd.wait_line('queued is up')


def test_what_took_its_place_is_not_touched(toque):
    """A backup put in place under a running daemon: neither its failing nor its end changes it."""
    store = toque.folder / 'queued' / 'queued.db'
    toque.sqs().create_queue(QueueName='q')
    for part in '-wal', '-shm', '':
        file = store.with_name(store.name + part)
        file.unlink()
        file.write_bytes(b'of another store' * 1000)
    toque.queued.wait_line(LINE)
    wait_for(lambda: failing(toque.queue_ports[0]), 'it is failing')
    toque.queued.stop()
    for part in '', '-wal', '-shm':
        assert store.with_name(store.name + part).read_bytes() == b'of another store' * 1000
