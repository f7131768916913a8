"""TLS beside plain HTTP: real clients trust the daemon's own authority, or given files."""
import http.client, os, re, shutil, signal, ssl, subprocess

import pytest

from daemons import DEADLINE_S


@pytest.fixture
def secure(make_toque):
    auto = {'tls': 'auto', 'tls_port': 0, 'tls_names': 'queue.lan'}
    t = make_toque(topic_options=auto, queue_options=auto)
    t.ports, t.bundles = {}, {}
    for d in (t.queued, t.topicd):
        d.start(ready=False)
        line = d.wait_line('TLS is on')
        t.ports[d.program] = int(re.search(r' port=(\d+)', line).group(1))
        t.bundles[d.program] = re.search(r'AWS_CA_BUNDLE=(\S+)', line).group(1)
    t.wait_linked()
    return t


def client(t, service, program, monkeypatch):
    monkeypatch.setenv('AWS_CA_BUNDLE', t.bundles[program])
    return t.client(service, url=f'https://localhost:{t.ports[program]}')


def test_boto3(secure, monkeypatch):
    """Both endpoints; URLs in answers are https where the call was; plain HTTP goes on beside it."""
    for program in 'queued', 'topicd':
        sqs = client(secure, 'sqs', program, monkeypatch)
        url = sqs.create_queue(QueueName='q')['QueueUrl']
        assert url.startswith(f'https://localhost:{secure.ports[program]}/')
        sqs.send_message(QueueUrl=url, MessageBody=program * 10000)
        got = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5)['Messages'][0]
        assert got['Body'] == program * 10000
        sqs.delete_message(QueueUrl=url, ReceiptHandle=got['ReceiptHandle'])
    sns = client(secure, 'sns', 'topicd', monkeypatch)
    assert sns.create_topic(Name='t')['TopicArn']
    assert secure.sqs().list_queues()['QueueUrls'][0].startswith('http://')


def test_nobody_else_is_trusted(secure, monkeypatch):
    other = client(secure, 'sqs', 'queued', monkeypatch)
    monkeypatch.setenv('AWS_CA_BUNDLE', secure.bundles['topicd'])
    stranger = secure.client('sqs', url=f'https://localhost:{secure.ports["queued"]}')
    other.list_queues()
    with pytest.raises(Exception, match='(?i)certificate'):
        stranger.list_queues()


@pytest.mark.skipif(not shutil.which('curl'), reason='no curl')
def test_curl(secure):
    def curl(*words):
        return subprocess.run(['curl', '-sS', '--cacert', secure.bundles['queued'], *words],
                              capture_output=True, text=True, timeout=DEADLINE_S)

    port = secure.ports['queued']
    for host in 'localhost', '127.0.0.1':
        assert '"status":"ok"' in curl(f'https://{host}:{port}/health').stdout
    named = ['--connect-to', f'queue.lan:{port}:127.0.0.1:{port}']
    assert '"status":"ok"' in curl(*named, f'https://queue.lan:{port}/health').stdout
    assert curl('--tls-max', '1.1', f'https://localhost:{port}/health').returncode != 0
    assert curl('--http1.1', f'http://localhost:{port}/health').returncode != 0


def test_files_and_their_reload(make_toque, secure, tmp_path):
    """The certificate is read again on SIGHUP, the authority is one's own."""
    made = os.path.dirname(secure.bundles['queued'])
    cert, key = tmp_path / 'cert.pem', tmp_path / 'key.pem'
    shutil.copy(f'{made}/server.pem', cert)
    shutil.copy(f'{made}/server-key.pem', key)
    t = make_toque(queue_options={'tls': 'files', 'tls_port': 0, 'tls_certificate': cert, 'tls_key': key})
    t.queued.start(ready=False)
    port = int(re.search(r' port=(\d+)', t.queued.wait_line('TLS is on')).group(1))

    def serial(bundle):
        trust = ssl.create_default_context(cafile=bundle)
        c = http.client.HTTPSConnection('localhost', port, context=trust, timeout=DEADLINE_S)
        c.request('GET', '/health')
        assert c.getresponse().status == 200
        return c.sock.getpeercert()['serialNumber']

    first = serial(secure.bundles['queued'])
    other = os.path.dirname(secure.bundles['topicd'])
    shutil.copy(f'{other}/server.pem', cert)
    shutil.copy(f'{other}/server-key.pem', key)
    t.queued.process.send_signal(signal.SIGHUP)
    t.queued.wait_line('the certificate was reloaded')
    assert serial(secure.bundles['topicd']) != first
    cert.write_text('broken')
    t.queued.process.send_signal(signal.SIGHUP)
    t.queued.wait_line('TLS cannot be set up')
    serial(secure.bundles['topicd'])
    t.queued.stop()
