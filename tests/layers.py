#!/usr/bin/env python3
"""Holds every include of the product against the layers, and every library against its one door.

    topicd -> filter -> common        queued -> common        exit status 1 when one is broken
"""
import pathlib, re, sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
MAY = {'common': {'common'}, 'filter': {'filter', 'common'}, 'queued': {'queued', 'common'},
       'topicd': {'topicd', 'filter', 'common'}}
DOORS = {'microhttpd.h': {'common/http_server.c'}, 'nng/': {'common/stream.c'},
         'sqlite3.h': {'common/store.c', 'common/store_connection.c', 'common/store_wal.c',
                       'queued/queue_store.c', 'topicd/topic_store.c'},
         'gnutls/': {'common/hash.c'}, 'pcre2.h': {'filter/pattern.c'},
         'yaml.h': {'filter/ctl_yaml.c'},
         'jansson.h': {'common/json.c', 'common/json.h'}, 'curl/': {'common/http_client.c'}}
WITHIN = re.compile(r'\s*#\s*include\s*[<"]([^>"]+)[>"]')


def broken():
    for room, allowed in MAY.items():
        for path in sorted((ROOT / room).glob('*.[ch]')):
            name = f'{room}/{path.name}'
            for number, line in enumerate(path.read_text().splitlines(), 1):
                found = WITHIN.match(line)
                if not found:
                    continue
                include = found.group(1)
                first = include.split('/')[0]
                if first in MAY and first not in allowed:
                    yield f'{name}:{number}: {room} may not include {include}'
                for library, doors in DOORS.items():
                    if include.startswith(library) and name not in doors:
                        yield f'{name}:{number}: {include} is seen by {", ".join(sorted(doors))} only'


lines = list(broken())
print('\n'.join(lines) or 'layers: every include goes down')
sys.exit(1 if lines else 0)
