"""Real daemons for the tests: started on free ports in an empty folder, watched through what they
log, talked to with real clients, killed and started again. Nothing here waits for time: it waits for
a line, an answer or an end, each with a deadline."""
import contextlib, fcntl, http.client, json, os, pathlib, queue, random, signal, socket, subprocess
import tempfile, threading

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get('TOQUE_BUILD', ROOT / 'build'))
DEADLINE_S = float(os.environ.get('TOQUE_DEADLINE_S', '30'))
ACCOUNT, REGION = '000000000000', 'us-east-1'


# Ports below the range from which the system takes its own (net.ipv4.ip_local_port_range).
PORTS = range(20000, 32000)
_held = []  # locks on the ports that this process has given out


def free_port():
    """A port that no other run of the tests on this machine has, or will have while this one lasts."""
    folder = pathlib.Path(tempfile.gettempdir()) / f'toque-test-ports-{os.getuid()}'
    folder.mkdir(exist_ok=True)
    for port in random.sample(PORTS, len(PORTS)):
        lock = open(folder / str(port), 'w')
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with socket.socket() as s:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                s.bind(('127.0.0.1', port))
        except OSError:
            lock.close()
            continue
        _held.append(lock)
        return port
    raise AssertionError('no free port')


def preload(library):
    """What LD_PRELOAD must say: the sanitizer's library comes first where the daemons need it."""
    linked = subprocess.run(['ldd', str(BUILD / 'queued')], stdout=subprocess.PIPE, text=True).stdout
    first = [line.split('=>')[1].split()[0] for line in linked.splitlines()
             if line.strip().startswith(('libasan.', 'libtsan.')) and '=>' in line]
    return ' '.join([*first, str(library)])


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix-domain socket."""

    def __init__(self, path, timeout=DEADLINE_S):
        super().__init__('localhost', timeout=timeout)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Daemon:
    """One process, its options, and its log."""

    def __init__(self, program, options, env=None):
        self.program, self.options, self.env = program, options, env or {}
        self.process, self.lines, self.log = None, queue.Queue(), []

    def command(self):
        return [str(BUILD / self.program)] + [f'--{k}={v}' for k, v in self.options.items()]

    def start(self, ready=True):
        assert self.process is None
        self.lines = queue.Queue()
        self.process = subprocess.Popen(self.command(), stderr=subprocess.PIPE,
                                        env={**os.environ, **self.env})
        threading.Thread(target=self._read, args=(self.process.stderr, self.lines),
                         daemon=True).start()
        if ready:
            self.wait_line(' ready')
        return self

    def _read(self, pipe, lines):
        for raw in pipe:
            line = raw.decode(errors='replace').rstrip('\n')
            self.log.append(line)
            lines.put(line)
        lines.put(None)

    def wait_line(self, text):
        """The next log line that holds `text`."""
        while True:
            try:
                line = self.lines.get(timeout=DEADLINE_S)
            except queue.Empty:
                raise AssertionError(f'{self.program}: no line with {text!r}:\n' + self.tail())
            if line is None:
                raise AssertionError(f'{self.program} ended before {text!r}:\n' + self.tail())
            if text in line:
                return line

    def tail(self):
        return '\n'.join(self.log[-60:])

    def wait_end(self):
        status = self.process.wait(timeout=DEADLINE_S)
        self.process = None
        return status

    def stop(self):
        """An orderly end; the exit status must say so."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        status = self.wait_end()
        assert status == 0, f'{self.program} ended with {status}:\n' + self.tail()

    def kill(self):
        if self.process is None:
            return
        self.process.kill()
        self.wait_end()

    def is_alive(self):
        return self.process is not None and self.process.poll() is None


class Toque:
    """A topicd and its queueds below one folder."""

    def __init__(self, folder, queueds=1, clock='real', env=None, topology=None, topic_options=None,
                 queue_options=None, reserve='1MiB'):
        """`reserve`: of disk space, for each daemon; None: the default."""
        self.folder = pathlib.Path(folder)
        self.topic_port = free_port()
        self.queue_ports = [free_port() for _ in range(queueds)]
        shared = {'clock': clock}
        if reserve is not None:
            shared['disk_reserve_bytes'] = reserve
        if topology:
            shared['topology'] = topology
        self.queueds = []
        for n, port in enumerate(self.queue_ports):
            name = 'queued' if n == 0 else f'queued{n + 1}'
            self.queueds.append(Daemon('queued', {
                'http_port': port, 'data_dir': self._dir(name), 'unix_socket': self._at(f'{name}.sock'),
                'ipc_url': f'ipc://{self._at(name + ".ipc")}', 'link_url': self.link(n),
                'pid_file': self._at(f'{name}.pid'), **shared, **(queue_options or {})}, env))
        self.topicd = Daemon('topicd', {
            'http_port': self.topic_port, 'data_dir': self._dir('topicd'),
            'unix_socket': self._at('topicd.sock'), 'ipc_url': f'ipc://{self._at("topicd.ipc")}',
            'queued': ','.join(self.link(n) for n in range(queueds)),
            'pid_file': self._at('topicd.pid'), **shared, **(topic_options or {})}, env)

    @property
    def queued(self):
        return self.queueds[0]

    def _at(self, name):
        return str(self.folder / name)

    def _dir(self, name):
        (self.folder / name).mkdir(parents=True, exist_ok=True)
        return self._at(name)

    def link(self, n):
        return f'ipc://{self._at("queued%s.link" % ("" if n == 0 else n + 1))}'

    def start(self):
        for d in self.queueds:
            d.start()
        self.topicd.start()
        self.wait_linked()
        return self

    def wait_linked(self):
        """Until topicd says that the links are up."""
        for _ in self.queueds:
            self.topicd.wait_line('queued is up')

    def stop(self):
        for d in [self.topicd, *self.queueds]:
            d.stop()

    def kill(self):
        for d in [self.topicd, *self.queueds]:
            d.kill()

    # --- clients ---------------------------------------------------------------------------------

    @property
    def topic_url(self):
        return f'http://127.0.0.1:{self.topic_port}'

    @property
    def queue_url(self):
        return f'http://127.0.0.1:{self.queue_ports[0]}'

    def client(self, service, url=None, region=REGION, account=ACCOUNT, secret='secret', token=None,
               **config):
        import boto3
        from botocore.config import Config
        return boto3.client(service, endpoint_url=url or (self.topic_url if service == 'sns' else
                                                          self.queue_url),
                            region_name=region, aws_access_key_id=account,
                            aws_secret_access_key=secret, aws_session_token=token,
                            config=Config(retries={'max_attempts': 0}, read_timeout=60, **config))

    def sqs(self, **more):
        return self.client('sqs', **more)

    def sns(self, **more):
        return self.client('sns', **more)

    def page(self, method, path, body=None, door='topicd'):
        """A page outside the API, through the Unix socket: status and JSON."""
        c = UnixConnection(self._at(f'{door}.sock'))
        with contextlib.closing(c):
            c.request(method, path, None if body is None else json.dumps(body),
                      {'Content-Type': 'application/json'} if body is not None else {})
            answer = c.getresponse()
            return answer.status, json.loads(answer.read() or b'null')

    def advance(self, seconds, door='topicd'):
        """Moves the manual clock of both daemons."""
        status, answer = self.page('POST', '/_toque/clock', {'advance_ms': int(seconds * 1000)},
                                   door)
        assert status == 200, answer
        return answer
