"""Unmodified clients, as they are on a user's first day: each in its own language and process, with nothing
set but the endpoint. A program prints `did WHAT` for each thing that worked, and ends with an error where
one did not.

What a client needs is installed below BUILD/clients by its own package manager, once, in bounded time; where
that cannot be had, the client's test is skipped and says why."""
import hashlib, os, pathlib, shutil, subprocess, sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / 'e2e'))
from daemons import BUILD, Toque  # noqa: E402

INSTALL_S = int(os.environ.get('CLIENTS_INSTALL_S', '300'))
RUN_S = int(os.environ.get('CLIENTS_RUN_S', '180'))
DAY = {'send', 'attributes', 'receive', 'delete', 'batch', 'queue attributes', 'long poll', 'fifo', 'error class'}


@pytest.fixture(scope='module')
def toque(tmp_path_factory):
    t = Toque(tmp_path_factory.mktemp('clients'))
    try:
        yield t.start()
        t.stop()
    finally:
        t.kill()


@pytest.fixture(params=['topicd', 'queued'])
def endpoint(request, toque):
    return toque.topic_url if request.param == 'topicd' else toque.queue_url


# --- installing --------------------------------------------------------------------------------------


def contents(folder):
    """What is installed depends on these."""
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.rglob('*') if p.is_file()):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def installed(name, tool, *commands):
    """A copy of tests/clients/NAME below BUILD/clients in which the commands have been run."""
    source, target = HERE / name, BUILD.resolve() / 'clients' / name
    if not shutil.which(tool):
        pytest.skip(f'{name}: there is no {tool} on this machine')
    mark, wanted = target / 'installed', contents(source)
    if mark.exists() and mark.read_text() == wanted:
        return target
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target)
    for command in commands:
        try:
            done = subprocess.run(command, cwd=target, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  stdin=subprocess.DEVNULL, timeout=INSTALL_S)
        except subprocess.TimeoutExpired:
            pytest.skip(f'{name}: {" ".join(command)} took longer than {INSTALL_S} s')
        if done.returncode:
            pytest.skip(f'{name}: {" ".join(command)}: {done.stdout.decode(errors="replace")[-500:]}')
    mark.write_text(wanted)
    return target


def day(command, folder, endpoint, **env):
    """What the program did."""
    done = subprocess.run([str(c) for c in command], cwd=folder, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, timeout=RUN_S,
                          env={**os.environ, 'ENDPOINT': endpoint, **env})
    out, err = done.stdout.decode(errors='replace'), done.stderr.decode(errors='replace')
    assert done.returncode == 0, out + err[-4000:]
    return {line[4:] for line in out.splitlines() if line.startswith('did ')}


def clear(toque, *names):
    for name in names:
        for url in toque.sqs().list_queues(QueueNamePrefix=name).get('QueueUrls', []):
            toque.sqs().delete_queue(QueueUrl=url)


# --- clients -----------------------------------------------------------------------------------------


@pytest.mark.parametrize('venv', ['venv', 'venv-query'])
def test_boto3(toque, endpoint, venv):
    """The newest, and 1.26, which speaks the Query protocol."""
    clear(toque, 'python')
    assert day([BUILD / venv / 'bin/python', HERE / 'python/day.py'], HERE, endpoint, QUEUE='python') == DAY


def test_aws_cli(toque, endpoint):
    clear(toque, 'cli')
    aws = BUILD / 'venv/bin/aws'
    if not aws.exists():
        pytest.skip('aws: the environment of the tests does not have it')
    assert day(['sh', HERE / 'cli/day.sh', aws], HERE, endpoint, AWS_ACCESS_KEY_ID='test',
               AWS_SECRET_ACCESS_KEY='test', AWS_DEFAULT_REGION='us-east-1') == DAY


def test_javascript(toque, endpoint):
    """The AWS SDK v3, and sqs-consumer on it."""
    clear(toque, 'js')
    folder = installed('js', 'npm', ['npm', 'install', '--no-audit', '--no-fund', '--no-package-lock'])
    assert day(['node', 'day.mjs'], folder, endpoint) == DAY | {'sqs-consumer'}


def test_go(toque, endpoint):
    clear(toque, 'go')
    folder = installed('go', 'go', ['go', 'get', './...'], ['go', 'build', '-o', 'day', '.'])
    assert day([folder / 'day'], folder, endpoint) == DAY


def test_java(toque, endpoint):
    """The AWS SDK v2, and its batching manager."""
    clear(toque, 'java')
    folder = installed('java', 'mvn', ['mvn', '-q', '-B', 'package', 'dependency:copy-dependencies'])
    assert day(['java', '-cp', 'target/classes:target/dependency/*', 'Day'], folder,
               endpoint) == DAY | {'batch manager'}


def test_celery(toque, endpoint):
    clear(toque, 'celery-')
    folder = installed('celery', 'python3', ['python3', '-m', 'venv', 'venv'],
                       ['venv/bin/pip', 'install', '-q', '--disable-pip-version-check', '-r',
                        'requirements.txt'])
    assert day(['venv/bin/python', 'day.py'], folder, endpoint) == {'tasks', 'retry'}
