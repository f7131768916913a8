"""A link between the daemons that can be cut: connections to one Unix socket go on to another one."""
import contextlib, os, socket, threading


class Relay:
    """Listens at `path`; what comes there goes to `target`, until it is cut."""

    def __init__(self, path, target):
        self.path, self.target = str(path), str(target)
        self.lock, self.pairs, self.listener = threading.Lock(), set(), None
        self.join()

    def join(self):
        if self.listener:
            return
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(64)
        threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()

    def cut(self):
        """Every connection ends, in mid-frame, and none is made."""
        listener, self.listener = self.listener, None
        if listener:
            os.unlink(self.path)
            _end(listener)
        with self.lock:
            pairs, self.pairs = self.pairs, set()
        for ends in pairs:
            for end in ends:
                _end(end)

    def _accept(self, listener):
        while True:
            try:
                one = listener.accept()[0]
            except OSError:
                return
            other = socket.socket(socket.AF_UNIX)
            try:
                other.connect(self.target)
            except OSError:
                _end(one)
                _end(other)
                continue
            with self.lock:
                self.pairs.add((one, other))
            if self.listener is not listener:
                self._over(one, other)
                continue
            for a, b in ((one, other), (other, one)):
                threading.Thread(target=self._copy, args=(a, b), daemon=True).start()

    def _copy(self, a, b):
        with contextlib.suppress(OSError):
            while data := a.recv(1 << 16):
                b.sendall(data)
        self._over(a, b)

    def _over(self, a, b):
        with self.lock:
            self.pairs -= {(a, b), (b, a)}
        _end(a)
        _end(b)


def _end(s):
    with contextlib.suppress(OSError):
        s.shutdown(socket.SHUT_RDWR)
    s.close()
