"""What the attacks share: their size, raw connections, and how a daemon is."""
import http.client, json, os, pathlib, socket, time

FULL = os.environ.get('ATTACK') == 'full'
DEADLINE_S = 30
JSON = 'application/x-amz-json-1.0'


def connect(port, host='127.0.0.1', window=None):
    family = socket.AF_INET6 if ':' in host else socket.AF_INET
    s = socket.socket(family)
    if window:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
    s.settimeout(DEADLINE_S)
    s.connect((host, port))
    return s


def until_closed(s):
    """Everything that comes until the other side closes."""
    got = b''
    while True:
        try:
            more = s.recv(65536)
        except ConnectionResetError:
            return got
        if not more:
            return got
        got += more


def say(port, data):
    """One connection that sends this and hears the rest."""
    with connect(port) as s:
        s.sendall(data)
        return until_closed(s)


def call(port, action, timeout=DEADLINE_S, method='POST', **body):
    """Status and answer of an SQS call."""
    c = http.client.HTTPConnection('127.0.0.1', port, timeout=timeout)
    c.request(method, '/', json.dumps(body), {'X-Amz-Target': f'AmazonSQS.{action}', 'Content-Type': JSON})
    answer = c.getresponse()
    text = answer.read()
    c.close()
    return answer.status, json.loads(text or b'{}')


def health(port):
    c = http.client.HTTPConnection('127.0.0.1', port, timeout=DEADLINE_S)
    c.request('GET', '/health')
    answer = json.loads(c.getresponse().read())
    c.close()
    return answer


def wait_for(condition, what):
    """Until it is true: looks again and again, as nothing else would tell."""
    end = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < end, f'never came true: {what}'
        time.sleep(0.02)


def memory_mib(daemon):
    """Resident memory now, and at its peak."""
    status = pathlib.Path(f'/proc/{daemon.process.pid}/status').read_text()
    field = lambda name: next(int(l.split()[1]) for l in status.splitlines() if l.startswith(name)) / 1024
    return field('VmRSS:'), field('VmHWM:')


def descriptors(daemon):
    return len(list(pathlib.Path(f'/proc/{daemon.process.pid}/fd').iterdir()))
