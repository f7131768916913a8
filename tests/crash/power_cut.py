#!/usr/bin/env python3
"""Takes back what a loss of power could take, after daemons that ran with plug.so were killed.

    power_cut.py JOURNAL_DIR [--seed N] [--keep none|random]

Of every database, what was written and not synced is undone; with `random` (the default) any part of
it has reached the disk all the same: each sector of each write by itself, in no order, as a disk may
do it. Names that came or went since their directory was synced are undone from the newest on, down to
a point that chance chooses. Afterwards the journal is empty and the daemons can be started."""
import argparse, os, pathlib, random, struct

RECORD = struct.Struct('<IIQQQQ')
MAGIC = 0x67756c70
SECTOR = 512


def changes_of(journal):
    """(kind, offset, size before, bytes before, bytes after) of each change, oldest first. The last
    one may be cut off: the process was killed in the middle, and the change had not begun."""
    data, at = journal.read_bytes(), 0
    while at + RECORD.size <= len(data):
        magic, kind, offset, old_size, old_n, new_n = RECORD.unpack_from(data, at)
        assert magic == MAGIC, f'{journal}: no record at {at}'
        start = at + RECORD.size
        at = start + old_n + new_n
        if at > len(data):
            return
        yield chr(kind), offset, old_size, data[start:start + old_n], data[start + old_n:at]


def parts(offset, data):
    """A write in the pieces in which a disk takes it."""
    at = 0
    while at < len(data):
        n = min(SECTOR - (offset + at) % SECTOR, len(data) - at)
        yield offset + at, data[at:at + n]
        at += n


def cut_file(path, journal, chance):
    """Brings `path` to what was synced, plus what chance keeps. Returns the number of changes."""
    changes = list(changes_of(journal)) if journal.exists() else []
    if not changes or not path.exists():
        return 0
    now = bytearray(path.read_bytes())
    for kind, offset, old_size, old, new in reversed(changes):
        if len(now) < offset + len(old):
            now.extend(bytes(offset + len(old) - len(now)))
        now[offset:offset + len(old)] = old
        if len(now) < old_size:
            now.extend(bytes(old_size - len(now)))
        del now[old_size:]
    if chance:
        # A commit is most often cut off at its very end: so much of everything, then a mixture.
        share = chance.choice([0, 0.02, 0.5, 0.98, 1])
        for kind, offset, old_size, old, new in changes:
            if kind == 'T':
                if chance.random() < share:
                    del now[offset:]
                continue
            for at, piece in parts(offset, new):
                if chance.random() < share:
                    if len(now) < at + len(piece):
                        now.extend(bytes(at + len(piece) - len(now)))
                    now[at:at + len(piece)] = piece
    path.write_bytes(now)
    return len(changes)


def entries_of(journal_dir):
    """Names that came (C path) and went (U saved path) since their directory was synced."""
    entries, file = [], journal_dir / 'entries'
    for line in file.read_text().splitlines() if file.exists() else []:
        kind, rest = line.split(' ', 1)
        if kind == 'D':
            entries = [e for e in entries if str(pathlib.Path(e[1]).parent) != rest]
        elif kind == 'C':
            entries.append(('C', rest, None))
        else:
            saved, path = rest.split(' ', 1)
            entries.append(('U', path, saved))
    return entries


def journal_of(journal_dir, path):
    return journal_dir / str(path).replace('/', '%')


def cut_names(journal_dir, chance):
    entries = entries_of(journal_dir)
    safe = chance.randint(0, len(entries)) if chance else 0
    for kind, path, saved in reversed(entries[safe:]):
        if kind == 'C':
            pathlib.Path(path).unlink(missing_ok=True)
            journal_of(journal_dir, path).unlink(missing_ok=True)
        else:
            pathlib.Path(path).unlink(missing_ok=True)
            os.rename(saved, path)
            changes = pathlib.Path(saved + '.journal')
            if changes.exists():
                changes.rename(journal_of(journal_dir, path))
    return len(entries) - safe


def cut(journal_dir, seed=None, keep='random'):
    """What was undone, as (changes, names)."""
    journal_dir = pathlib.Path(journal_dir)
    chance = random.Random(seed) if keep == 'random' else None
    names = cut_names(journal_dir, chance)
    changes = 0
    for journal in sorted(journal_dir.glob('%*')):
        path = pathlib.Path(journal.name.replace('%', '/'))
        changes += cut_file(path, journal, chance)
        path.with_name(path.name.removesuffix('-wal') + '-shm').unlink(missing_ok=True)
    for file in journal_dir.iterdir():
        file.unlink()
    return changes, names


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument('journal_dir')
    options.add_argument('--seed', type=int)
    options.add_argument('--keep', choices=['none', 'random'], default='random')
    options = options.parse_args()
    changes, names = cut(options.journal_dir, options.seed, options.keep)
    print(f'{changes} changes and {names} names taken back')


if __name__ == '__main__':
    main()
