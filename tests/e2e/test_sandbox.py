"""What the daemons have given up when they run: seen from outside, and tried from inside."""
import errno, os, pathlib, signal, subprocess

import pytest

from daemons import Daemon, preload

HERE = pathlib.Path(__file__).parent
REFUSED = {'write': errno.EACCES, 'remove': errno.EACCES, 'packets': errno.EPERM, 'code': errno.EPERM,
           'exec': errno.EPERM, 'trace': errno.EPERM}


def status_of(daemon):
    lines = pathlib.Path(f'/proc/{daemon.process.pid}/status').read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(':') for line in lines)}


def is_sanitized():
    return 'libasan' in preload('')


@pytest.fixture(scope='module')
def library(tmp_path_factory):
    made = tmp_path_factory.mktemp('probe') / 'probe.so'
    subprocess.run([os.environ.get('CC', 'cc'), '-O1', '-shared', '-fPIC', str(HERE / 'probe.c'),
                    '-o', str(made), '-ldl'], check=True)
    return made


def probed(library, folder, program, **options):
    """What the probe says from inside a daemon with these options: name → errno."""
    other = folder / 'other'
    other.mkdir()
    (other / 'file').write_text('secret')
    data = folder / 'data'
    env = {'LD_PRELOAD': preload(library), 'PROBE_FILE': str(other / 'file'),
           'PROBE_DATA': str(data / 'probe')}
    links = {'queued': f'ipc://{folder}/link'} if program == 'topicd' else {'link_url': ''}
    d = Daemon(program, {'http_port': 0, 'data_dir': data, **links, **options}, env)
    try:
        d.start()
        d.wait_line('probe over')
        said = [line.split() for line in d.log if line.startswith('probe ')]
        status = status_of(d)
        d.stop()
    finally:
        d.kill()
    return {words[1]: int(words[2]) for words in said if len(words) == 3}, status, d


def expected(log, names):
    """Less when the kernel has less: the daemon said so."""
    text = '\n'.join(log)
    return {name: no for name, no in names.items()
            if not ('no Landlock' in text and no == errno.EACCES) and
            not ('no seccomp' in text and no == errno.EPERM)}


@pytest.mark.parametrize('program', ['queued', 'topicd'])
def test_what_is_given_up(library, tmp_path, program):
    tried, status, d = probed(library, tmp_path, program)
    assert status['NoNewPrivs'] == '1'
    wanted = dict(REFUSED)
    if not is_sanitized():
        wanted |= {'read': errno.EACCES}
    wanted = expected(d.log, wanted)
    assert {name: tried[name] for name in wanted} == wanted
    assert tried['data'] == 0
    if 'no seccomp' not in '\n'.join(d.log):
        assert status['Seccomp'] == '2'


def test_programs_may_be_let(library, tmp_path):
    tried, status, d = probed(library, tmp_path, 'queued', sandbox='exec')
    assert tried['exec'] == 0 and status['NoNewPrivs'] == '1'
    wanted = expected(d.log, {'write': errno.EACCES, 'packets': errno.EPERM})
    assert {name: tried[name] for name in wanted} == wanted


def test_off(library, tmp_path):
    tried, status, _ = probed(library, tmp_path, 'queued', sandbox='off')
    assert status['NoNewPrivs'] == '0' and status['Seccomp'] == '0'
    assert [tried[name] for name in ('read', 'write', 'code', 'exec', 'remove', 'trace')] == [0] * 6


def limits_of(daemon):
    lines = pathlib.Path(f'/proc/{daemon.process.pid}/limits').read_text().splitlines()
    return next(line.split()[4] for line in lines if line.startswith('Max core file size'))


def dumps_with(folder, **options):
    """The largest core dump, and whether the daemon's files below /proc are its own."""
    d = Daemon('queued', {'http_port': 0, 'data_dir': folder, 'link_url': '', **options})
    try:
        d.start()
        size, mem = limits_of(d), os.stat(f'/proc/{d.process.pid}/mem')
        d.stop()
    finally:
        d.kill()
    return size, mem.st_uid == os.getuid()


def test_core_dumps(tmp_path):
    assert dumps_with(tmp_path / 'a')[0] == '0'
    import resource
    now = resource.getrlimit(resource.RLIMIT_CORE)
    wanted = 'unlimited' if now[0] == resource.RLIM_INFINITY else str(now[0])
    assert dumps_with(tmp_path / 'b', core_dumps='true') == (wanted, True)


def test_files_that_are_read_again(make_toque, tmp_path):
    """Keys and certificates may be replaced, by a rename or behind a link, and are read on SIGHUP."""
    live, archive = tmp_path / 'live', tmp_path / 'archive'
    live.mkdir(), archive.mkdir()
    key = '{"keys":[{"access_key_id":"%s","secret_access_key":"s","account":"000000000000"}]}'
    (archive / 'keys1').write_text(key % 'one')
    (archive / 'keys1').chmod(0o600)
    (live / 'keys').symlink_to(archive / 'keys1')
    t = make_toque(queue_options={'keys': live / 'keys'}).start()
    for name in 'keys2', 'keys3':
        (archive / name).write_text(key % name)
        (archive / name).chmod(0o600)
        (live / 'fresh').symlink_to(archive / name)
        (live / 'fresh').rename(live / 'keys')
        t.queued.process.send_signal(signal.SIGHUP)
        t.queued.wait_line('the keys were reloaded')
    (live / 'fresh').write_text(key % 'four')
    (live / 'fresh').chmod(0o600)
    (live / 'fresh').rename(live / 'keys')
    t.queued.process.send_signal(signal.SIGHUP)
    t.queued.wait_line('the keys were reloaded')
