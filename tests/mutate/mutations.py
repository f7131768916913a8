"""The lists of this folder: single bugs, one block each, a file a room.

    what the bug breaks, in one line
    @ path/of/the/file.c
    - the old text, which stands there once; blanks and line ends count as one
    + the new text
    ? test_x.py            further suites that should see it: files below tests/e2e, tests/attack, tests/crash
    ~ why no suite sees it, where none can

Lines that begin with # are comments; an empty line ends a block.
"""
import hashlib, pathlib, re

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
ROOMS = ['filter', 'common', 'queued', 'topicd']


class Mutation:
    def __init__(self, room, what):
        self.room, self.what = room, what
        self.file = self.unseen = None
        self.old, self.new, self.tests = [], [], []

    @property
    def name(self):
        text = '\0'.join([self.file or '', *self.old, '\1', *self.new])
        return hashlib.sha256(text.encode()).hexdigest()[:10]

    def places(self, text):
        """Where the old text stands, as spans."""
        words = ' '.join(self.old).split()
        return [m.span() for m in re.finditer(r'\s+'.join(map(re.escape, words)), text)]

    def applied(self, text):
        """The text with the bug in it."""
        (start, end), = self.places(text)
        return text[:start] + '\n'.join(self.new) + text[end:]

    def complaint(self, root=ROOT):
        """What is wrong with this block; None if nothing is."""
        if not self.file or not self.old or not self.new:
            return 'needs a file, an old text and a new one'
        if not (root / self.file).is_file():
            return f'{self.file} does not exist'
        found = len(self.places((root / self.file).read_text()))
        if found != 1:
            return f'{self.file}: the old text stands there {found} times'
        if ' '.join(self.old).split() == ' '.join(self.new).split():
            return 'changes nothing'
        return None


def read_room(room):
    all, one = [], None
    for line in (HERE / f'{room}.txt').read_text().splitlines():
        mark, rest = line[:1], line[2:]
        if not line.strip():
            one = None
        elif mark == '#':
            continue
        elif mark == '@':
            one.file = rest.strip()
        elif mark == '-':
            one.old.append(rest)
        elif mark == '+':
            one.new.append(rest)
        elif mark == '?':
            one.tests += rest.split()
        elif mark == '~':
            one.unseen = f'{one.unseen} {rest}' if one.unseen else rest
        else:
            one = Mutation(room, line.strip())
            all.append(one)
    return all


def read_all(rooms=ROOMS):
    return [one for room in rooms for one in read_room(room)]
