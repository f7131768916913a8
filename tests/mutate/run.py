#!/usr/bin/env python3
"""Puts one bug of the lists at a time into a copy of the tree, builds it, and runs the suites, from the
fastest to the slowest, until one fails: the bug is seen. At the end: seen and not seen by room.

    tests/mutate/run.py --build build [--only ROOM] [--sample N] [--minutes M] [--resume]

--sample takes N at random (--seed says which), --minutes stops after the bug that is under way then,
--resume keeps what an earlier run found out, as long as the block in the list is the same, and
--match runs those whose file or first line holds a word. Exit status 1 when a bug is not seen and the
list does not say why, or when a block cannot be applied or built.
"""
import argparse, json, os, pathlib, random, re, shutil, subprocess, sys, time

from mutations import ROOMS, ROOT, read_all

# Fast to build; warnings of a bug's own (a variable unused) are no errors.
MAKE = ['make', '-s', f'-j{os.cpu_count() or 2}', 'OPT=-O1 -g0', 'WARN=-w', 'HARDEN=-fPIE']
ABOVE = {'common': ROOMS, 'filter': ['filter', 'topicd'], 'queued': ['queued'], 'topicd': ['topicd']}
UNIT_S, CORPUS_S, SIM_S, SUITE_S, BUILD_S = 120, 60, 240, 900, 900
TOGETHER = 4  # tests that are built before they are run
SIM = ['--seeds=6', '--hours=3', '--jobs=2']
SHARES = {'CRASH_KILLS': '20'}


class Copy:
    """The tree that the bugs are put into."""

    def __init__(self, build):
        self.root = build / 'mutate/tree'
        self.build = self.root / 'build'

    def refresh(self):
        """Whether it is as it was when it was last built."""
        same = (self.build / 'good').exists()
        listed = subprocess.run(['git', 'ls-files', '-co', '--exclude-standard'], cwd=ROOT, check=True,
                                capture_output=True, text=True).stdout.split('\n')
        wanted = {name for name in listed if name and (ROOT / name).is_file()}
        for name in wanted:
            to, data = self.root / name, (ROOT / name).read_bytes()
            if not to.is_file() or to.read_bytes() != data:
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, to)
                same = False
        for to in self.root.rglob('*'):
            name = str(to.relative_to(self.root))
            if to.is_file() and not name.startswith('build/') and name not in wanted:
                to.unlink()
                same = False
        return same

    def run(self, command, seconds, env=None):
        """Whether it ends well in time, and what it says."""
        try:
            done = subprocess.run(command, cwd=self.root, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, timeout=seconds,
                                  env={**os.environ, **(env or {})}, start_new_session=True)
        except subprocess.TimeoutExpired:
            return False, 'no end in time'
        return done.returncode == 0, done.stdout.decode(errors='replace')

    def fails(self, command, seconds, env=None):
        """Twice, since a busy machine makes tests fail, too."""
        return not self.run(command, seconds, env)[0] and not self.run(command, seconds, env)[0]

    def make(self, *targets):
        return self.run([*MAKE, f'BUILD={self.build}', *map(str, targets)], BUILD_S)


class NotBuilt(Exception):
    pass


def unit_tests(copy, rooms):
    return [p.relative_to(copy.root / 'tests/unit').with_suffix('')
            for room in rooms for p in sorted((copy.root / 'tests/unit' / room).glob('test_*.c'))]


def near(copy, one):
    """The unit tests of a file: those of its name, then those that include its header."""
    stem, header = pathlib.Path(one.file).stem, pathlib.Path(one.file).with_suffix('.h')
    tests = unit_tests(copy, ABOVE[one.room])
    own = [t for t in tests if t.name.startswith(f'test_{stem}')]
    users = [t for t in tests if t not in own and
             f'"{header}"' in (copy.root / 'tests/unit' / t).with_suffix('.c').read_text()]
    return own, users


def run_units(copy, tests, done):
    tests = [t for t in tests if t not in done]
    done.update(tests)
    while tests:
        now, tests = tests[:TOGETHER], tests[TOGETHER:]
        good, text = copy.make(*[copy.build / 'unit' / t for t in now])
        if not good:
            raise NotBuilt(text)
        for t in now:
            if copy.fails([str(copy.build / 'unit' / t)], UNIT_S):
                return f'unit/{t}'
    return None


def run_corpus(copy):
    good, text = copy.make('replay')
    if not good:
        raise NotBuilt(text)
    for program in sorted((copy.build / 'replay').glob('fuzz_*')):
        seeds = copy.root / 'tests/fuzz/corpus' / program.name[len('fuzz_'):]
        if copy.fails([str(program), str(seeds)], CORPUS_S):
            return f'corpus/{program.name}'
    return None


def run_sim(copy):
    good, text = copy.make('all')
    if not good:
        raise NotBuilt(text)
    return 'sim' if copy.fails([str(copy.build / 'sim'), *SIM], SIM_S) else None


def run_pytest(copy, *paths):
    good, text = copy.make('all')
    if not good:
        raise NotBuilt(text)
    env = {'TOQUE_BUILD': str(copy.build), 'TOQUE_DEADLINE_S': '20', **SHARES}
    good, text = copy.run([str(copy.build / 'venv/bin/python'), '-m', 'pytest', '-q', '-x', '-p',
                           'no:cacheprovider', *paths], SUITE_S, env)
    if good:
        return None
    found = re.search(r'^(?:FAILED|ERROR) (\S+)', text, re.M)
    if not found:
        return f'{paths[0]} ({text.strip()[-60:]})'
    if len(paths) > 1 or paths[0] != found.group(1):
        return run_pytest(copy, found.group(1))  # once more, alone
    return found.group(1)


def paths_of(copy, one):
    """The test files that a block names."""
    tests = [p for folder in ('e2e', 'attack', 'crash', 'delaying')
             for p in (copy.root / 'tests' / folder).rglob('test_*.py')]
    return [str(p) for p in tests if p.name in one.tests]


def stages(copy, one):
    done = set()
    own, users = near(copy, one)
    named = paths_of(copy, one)
    yield lambda: run_units(copy, own, done) or run_units(copy, users, done)
    if named:
        yield lambda: run_pytest(copy, *named)
    yield lambda: run_units(copy, unit_tests(copy, [one.room]), done)
    yield lambda: run_units(copy, unit_tests(copy, ABOVE[one.room]), done)
    yield lambda: run_corpus(copy)
    yield lambda: run_sim(copy)
    yield lambda: run_pytest(copy, 'tests/e2e')
    yield lambda: run_pytest(copy, 'tests/attack')
    yield lambda: run_pytest(copy, 'tests/crash')


def seen_by(copy, one, last):
    """The name of the first test that fails, or None."""
    for number, stage in enumerate(stages(copy, one)):
        if number >= last:
            return None
        test = stage()
        if test:
            return test
    return None


def try_one(copy, one, last):
    path = copy.root / one.file
    good = path.read_text()
    began = time.monotonic()
    try:
        path.write_text(one.applied(good))
        test = seen_by(copy, one, last)
        result = {'seen': test}
    except NotBuilt as why:
        result = {'error': 'does not build: ' + str(why)[-400:]}
    finally:
        path.write_text(good)
    return {**result, 'seconds': round(time.monotonic() - began, 1), 'last': last}


def say(one, result):
    word = 'ERROR   ' if 'error' in result else 'seen    ' if result['seen'] else \
        'excepted' if one.unseen else 'NOT SEEN'
    detail = result.get('error') or result['seen'] or one.unseen or ''
    print(f'{word} {one.room} {one.name} {one.file}: {one.what}\n         {detail} '
          f'({result["seconds"]} s)', flush=True)


def table(chosen, results):
    bad = 0
    print(f'{"room":8} {"seen":>5} {"not":>5} {"excepted":>9} {"error":>6} {"not run":>8}')
    for room in [*ROOMS, 'all']:
        mine = [m for m in chosen if room in ('all', m.room)]
        run = [(m, results[m.name]) for m in mine if m.name in results]
        error = sum('error' in r for _, r in run)
        seen = sum(bool(r.get('seen')) for _, r in run)
        excepted = sum(bool(m.unseen) and 'error' not in r and not r['seen'] for m, r in run)
        unseen = len(run) - error - seen - excepted
        print(f'{room:8} {seen:5} {unseen:5} {excepted:9} {error:6} {len(mine) - len(run):8}')
        bad = unseen + error
    return bad


def main():
    options = argparse.ArgumentParser()
    options.add_argument('--build', default='build')
    options.add_argument('--only', choices=ROOMS)
    options.add_argument('--sample', type=int)
    options.add_argument('--seed', default=time.strftime('%Y-%m-%d'))
    options.add_argument('--minutes', type=float)
    options.add_argument('--resume', action='store_true')
    options.add_argument('--match')
    options.add_argument('--stages', type=int, default=99, help='how many, of the fastest')
    options.add_argument('--again', action='store_true',
                         help='with --resume: only those that were not seen, once more')
    options = options.parse_args()

    chosen = read_all([options.only] if options.only else ROOMS)
    if options.match:
        chosen = [m for m in chosen if options.match in m.file or options.match in m.what]
    if options.sample:
        chosen = random.Random(options.seed).sample(chosen, min(options.sample, len(chosen)))
    wrong = [(m, m.complaint()) for m in chosen if m.complaint()]
    for m, why in wrong:
        print(f'ERROR    {m.room} {m.what}: {why}')

    copy = Copy(pathlib.Path(options.build).resolve())
    began = time.monotonic()
    if not copy.refresh():
        (copy.build / 'good').unlink(missing_ok=True)
        good, text = copy.make('all', 'unit', 'replay', copy.build / 'venv/ready')
        if not good:
            sys.exit(f'the copy does not build:\n{text[-4000:]}')
        (copy.build / 'good').touch()
    kept = copy.root.parent / 'results.json'
    known = json.loads(kept.read_text()) if options.resume and kept.exists() else {}
    for m in chosen:
        old = known.get(m.name)
        if options.again and not old or \
                old and (old.get('seen') or m.unseen or
                         old.get('last', 0) >= options.stages and not options.again):
            continue
        if m.complaint() or (options.minutes and time.monotonic() - began > options.minutes * 60):
            continue
        known[m.name] = try_one(copy, m, options.stages)
        kept.write_text(json.dumps(known, indent=1))
        say(m, known[m.name])
    bad = table([m for m in chosen if not m.complaint()], known)
    return 1 if bad or wrong else 0


sys.exit(main())
