#!/usr/bin/env python3
"""Holds every include of the product against the layers and their storeys, every library against the
one file that may see it, and time and chance against the files that may take them from the system
instead of from what the daemon was given. Exit status 1 when one is broken.

    topicd -> filter -> common        queued -> common
    common: aws -> io -> base         filter: ctl -> explain -> match -> policy
"""
import pathlib, re, sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
# A place, and the places whose headers it may include: itself and what lies beneath it.
BASE, IO, AWS = 'common/base', 'common/io', 'common/aws'
POLICY, MATCH, EXPLAIN, CTL = 'filter/policy', 'filter/match', 'filter/explain', 'filter/ctl'
FACE = 'filter'  # filter/filter.h, the library's public face
MAY = {BASE: {BASE}, IO: {IO, BASE}, AWS: {AWS, IO, BASE},
       FACE: {BASE}, POLICY: {POLICY, FACE, BASE}, MATCH: {MATCH, POLICY, FACE, BASE},
       EXPLAIN: {EXPLAIN, MATCH, POLICY, FACE, BASE},
       CTL: {CTL, EXPLAIN, MATCH, POLICY, FACE, BASE},
       'queued': {'queued', AWS, IO, BASE}, 'topicd': {'topicd', FACE, EXPLAIN, AWS, IO, BASE}}
DOORS = {'nng/': {'common/io/stream.c'},
         'sqlite3.h': {'common/io/store.c', 'common/io/store_connection.c', 'common/io/store_wal.c',
                       'common/io/store_copier.c', 'common/io/store_row.h'},
         'common/io/store_row.h': {'common/io/store_row.c', 'common/io/store_engine.c', 'queued/queue_store_sqlite.c', 'queued/queue_sqlite.h',
                                   'topicd/topic_store_sqlite.c'},
         'gnutls/': {'common/base/hash.c', 'common/io/tls.c', 'common/io/tls_local.c'}, 'pcre2.h': {'filter/policy/pattern.c'},
         'yaml.h': {'filter/ctl/yaml.c'},
         'jansson.h': {'common/base/json.c', 'common/base/json.h'},
         'curl/': {'common/io/http_client.c'}}
# Words of the system's time and chance; the command line (CTL) is no daemon and may use all of them.
CLOCK, ID = 'common/base/clock', 'common/base/id'
SYSTEM = {'clock_gettime': {f'{CLOCK}.c', 'common/io/store_copier.c'}, 'gettimeofday': set(), 'time': set(),
          'clock_micros': {f'{CLOCK}.c', f'{CLOCK}.h'},
          'clock_init': {f'{CLOCK}.c', f'{CLOCK}.h', 'common/base/log.c'},
          'getrandom': {f'{ID}.c'}, 'rand': set(), 'random': set()}
CALL = re.compile(rf'\b({"|".join(SYSTEM)})\s*\(')
INCLUDE = re.compile(r'\s*#\s*include\s*[<"]([^>"]+)[>"]')


def place(path):
    return str(pathlib.PurePosixPath(path).parent)


def broken():
    for room, allowed in MAY.items():
        for path in sorted((ROOT / room).glob('*.[ch]')):
            name = f'{room}/{path.name}'
            for number, line in enumerate(path.read_text().splitlines(), 1):
                for word in CALL.findall(line) if room != CTL else ():
                    if name not in SYSTEM[word]:
                        yield f'{name}:{number}: {word}() takes from the system what the daemon is given'
                found = INCLUDE.match(line)
                if not found:
                    continue
                include = found.group(1)
                if include.split('/')[0] in {'common', 'filter', 'queued', 'topicd'} and \
                        place(include) not in allowed:
                    yield f'{name}:{number}: {room} may not include {include}'
                for library, doors in DOORS.items():
                    if include.startswith(library) and name not in doors:
                        yield f'{name}:{number}: {include} is seen by {", ".join(sorted(doors))} only'


def homeless():
    for room in 'common', 'filter', 'queued', 'topicd':
        for path in sorted((ROOT / room).rglob('*.[ch]')):
            name = str(path.relative_to(ROOT))
            if place(name) not in MAY:
                yield f'{name}: no layer knows this folder'


lines = [*broken(), *homeless()]
print('\n'.join(lines) or 'layers: every include goes down')
sys.exit(1 if lines else 0)
