"""How the daemons start and end: every mistake is one clear line and a non-zero status."""
import http.client, json, os, pathlib, re, signal, socket, subprocess

import pytest

from daemons import BUILD, DEADLINE_S, Daemon, Toque, free_port

PROGRAMS = ['topicd', 'queued']


def run(program, *words):
    return subprocess.run([str(BUILD / program), *words], capture_output=True, text=True,
                          timeout=DEADLINE_S)


def options(tmp_path, program, **more):
    t = Toque(tmp_path)
    d = t.topicd if program == 'topicd' else t.queued
    d.options.update(more)
    return d


def ends_with_one_line(daemon, *words):
    done = subprocess.run(daemon.command(), capture_output=True, text=True, timeout=DEADLINE_S)
    assert done.returncode not in (0, -signal.SIGSEGV, -signal.SIGABRT), done.stderr
    lines = [line for line in done.stderr.splitlines() if ' error ' in line or line]
    last = lines[-1]
    for word in words:
        assert word in last, done.stderr
    return last


@pytest.mark.parametrize('program', PROGRAMS)
def test_version_and_help(program):
    assert run(program, '--version').stdout.strip()
    text = run(program, '--help').stdout
    assert 'http_port' in text.replace('-', '_') and 'durability' in text


@pytest.mark.parametrize('program', PROGRAMS)
def test_check_only(program, tmp_path):
    good = tmp_path / 'good.json'
    good.write_text(json.dumps({'http_port': 1234}))
    assert run(program, '-n', '-c', str(good)).returncode == 0
    for text, words in (('{"http_port":"x"}', ['http_port']), ('{"nonsense":1}', ['nonsense']),
                        ('{"http_port":1,\n "durability":"maybe"}', ['durability']), ('{', ['1'])):
        bad = tmp_path / 'bad.json'
        bad.write_text(text)
        done = run(program, '-n', '-c', str(bad))
        assert done.returncode != 0 and str(bad) in done.stderr, done.stderr
        for word in words:
            assert word in done.stderr
    assert run(program, '-n', '-c', str(tmp_path / 'absent.json')).returncode != 0
    for option, value in ('account', 'twelveLETTER'), ('region', 'US East'):
        done = run(program, '-n', f'--{option}={value}')
        assert done.returncode == 1 and f'{option}: must be' in done.stderr, done.stderr
        ends_with_one_line(options(tmp_path, program, **{option: value}), f'{option}: must be')


@pytest.mark.parametrize('larger', ['body_size_max', 'ipc_message_size_max'])
def test_a_frame_holds_a_forwarded_call(larger):
    other = {'body_size_max': 'ipc_message_size_max'}.get(larger, 'body_size_max')
    for size, status in ('4MiB', 1), ('3MiB', 0):
        done = run('topicd', '-n', '--link_frame_size_max=4MiB', f'--{larger}={size}', f'--{other}=1MiB')
        assert done.returncode == status, done.stderr
        assert not status or 'link_frame_size_max: must be' in done.stderr, done.stderr


@pytest.mark.parametrize('program', PROGRAMS)
def test_sample_is_the_file_that_is_there(program):
    sample = pathlib.Path(__file__).parents[2] / 'config' / f'{program}.json'
    assert run(program, '--print-sample').stdout == sample.read_text()


@pytest.mark.parametrize('program', PROGRAMS)
def test_port_in_use(program, tmp_path):
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        s.listen()
        port = s.getsockname()[1]
        ends_with_one_line(options(tmp_path, program, http_port=port), str(port))


@pytest.mark.parametrize('program', PROGRAMS)
def test_unusable_directory(program, tmp_path):
    (tmp_path / 'a-file').write_text('')
    ends_with_one_line(options(tmp_path, program, data_dir=str(tmp_path / 'a-file/below')), 'a-file')


@pytest.mark.parametrize('program', PROGRAMS)
def test_database_of_a_newer_schema(program, tmp_path):
    import sqlite3
    d = options(tmp_path, program)
    d.start()
    d.stop()
    file = next(pathlib.Path(d.options['data_dir']).glob('*.db'))
    with sqlite3.connect(file) as db:
        db.execute('PRAGMA user_version=999')
    db.close()
    ends_with_one_line(d, 'newer')


@pytest.mark.parametrize('program', PROGRAMS)
def test_pid_file_and_orderly_end(program, tmp_path):
    d = options(tmp_path, program).start()
    file = pathlib.Path(d.options['pid_file'])
    assert int(file.read_text()) == d.process.pid
    d.process.send_signal(signal.SIGINT)
    assert d.wait_end() == 0
    assert not file.exists()


@pytest.mark.parametrize('program', PROGRAMS)
def test_same_store_twice(program, tmp_path):
    first = options(tmp_path, program).start()
    try:
        second = Daemon(program, {**first.options, 'http_port': free_port(), 'unix_socket': '',
                                  'ipc_url': '', 'pid_file': ''})
        ends_with_one_line(second)
    finally:
        first.stop()


def test_wrong_topology_stops_the_start(tmp_path):
    file = tmp_path / 'topology.json'
    for text in ('{"queues":[\n  {"QueueName":"bad name"}]}', '{"queues":[\n  {"Queue":"x"}]}',
                 '{"queues":[\n  ]'):
        file.write_text(text)
        d = options(tmp_path, 'queued', topology=str(file))
        last = ends_with_one_line(d, str(file))
        assert '2' in last.split(str(file))[1], last
    file.write_text('{"topics":[{"Name":"t"}],"subscriptions":[\n {"Topic":"t","Protocol":"sqs",'
                    '"Endpoint":"q","Attributes":{"FilterPolicy":{"a":"b"}}}]}')
    last = ends_with_one_line(options(tmp_path, 'topicd', topology=str(file)), str(file))
    assert 'must be an object or an array' in last


def test_health_on_every_door(toque):
    for door in PROGRAMS:
        status, answer = toque.page('GET', '/health', door=door)
        assert status == 200 and answer['status'] == 'ok' and answer['version']
        assert 'uptime_s' in answer and 'store' in answer and 'link' in answer
    assert toque.page('GET', '/_localstack/health')[1]['services'] == {'sns': 'running',
                                                                       'sqs': 'running'}


def test_stop_with_a_parked_long_poll(toque):
    """SIGTERM answers what waits instead of cutting it off."""
    import threading
    sqs = toque.sqs()
    queue = sqs.create_queue(QueueName='parked')['QueueUrl']
    answers = []
    poll = threading.Thread(target=lambda: answers.append(
        sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=20)))
    poll.start()
    while toque.page('GET', '/health', door='queued')[1].get('waiting', 1) < 1:
        pass
    toque.stop()
    poll.join(DEADLINE_S)
    assert not poll.is_alive() and 'Messages' not in answers[0]


def test_paths_with_a_space_and_no_sockets(tmp_path):
    folder = tmp_path / 'a b'
    folder.mkdir()
    t = Toque(folder)
    t.queued.options.update(unix_socket='', ipc_url='')
    try:
        t.start()
        assert t.sqs().list_queues().get('QueueUrls') is None
        t.stop()
    finally:
        t.kill()
    assert sorted(os.listdir(folder)) == ['queued', 'topicd']


def test_addresses_and_a_free_port(tmp_path):
    """Port 0 is one that is free; the log and /health tell it. Both loopback addresses answer."""
    d = options(tmp_path, 'queued', http_port=0)
    try:
        d.start(ready=False)
        line = d.wait_line(' ready')
        port = int(re.search(r'http=127\.0\.0\.1:(\d+),\[::1\]:\1 ', line).group(1))
        hosts = ['127.0.0.1']
        with socket.socket(socket.AF_INET6) as s:
            try:
                s.bind(('::1', 0))
                hosts.append('::1')
            except OSError:
                pass  # a machine without IPv6
        for host in hosts:
            c = http.client.HTTPConnection(host, port, timeout=10)
            c.request('GET', '/health')
            assert json.loads(c.getresponse().read())['http_port'] == port
        c.request('POST', '/', '{"QueueName":"q"}', {'X-Amz-Target': 'AmazonSQS.CreateQueue'})
        assert f':{port}/' in json.loads(c.getresponse().read())['QueueUrl']
        d.stop()
    finally:
        d.kill()
