#!/usr/bin/env python3
"""Runs the suites and adds up: the last line is `N passed, N failed`.

    tests/run.py --build build [--suite unit --suite corpus …]
    tests/run.py --build build [unit corpus …] [e2e tests/e2e/test_sns.py …]

unit: every program below BUILD/unit (cmocka). corpus: every seed of tests/fuzz/corpus through its
target. sim: the simulator over some seeds. e2e, attack, crash: pytest over the real daemons; query: the SQS
part of e2e once more, by a boto3 that speaks the Query protocol. delayed: e2e and crash tests, and those of
tests/delaying, over the daemons of BUILD/delaying, whose engine settles turns late and brings bodies in any
order; a share of them, or with --suite delayed-all everything. What fails is shown whole, what passes is a
line.
"""
import argparse, os, pathlib, re, subprocess, sys, time
import xml.etree.ElementTree as xml

ROOT = pathlib.Path(__file__).resolve().parent.parent
SUITES = ['unit', 'corpus', 'sim', 'e2e', 'query', 'delayed', 'attack', 'crash']
DELAYED = {'delayed': ['tests/e2e/sqs/test_messages.py', 'tests/e2e/test_link.py', 'tests/e2e/test_replaced.py',
                       'tests/crash/test_kill.py', 'tests/delaying'],
           'delayed-all': ['tests/e2e', 'tests/crash/test_kill.py',
                           'tests/crash/test_sync_before_answer.py', 'tests/delaying']}
# Kills and rounds of a share, where the environment does not say.
DELAYED_SHARE = {'CRASH_KILLS': '15', 'DELAYING_ROUNDS': '2'}
UNIT_DEADLINE_S = 300
CORPUS_DEADLINE_S = 120
SIM_DEADLINE_S = 600
SIM_SEEDS = ['--seeds=8', '--hours=5', '--jobs=2']
SIM_ONE = ['--seed=1000', '--hours=2', '--log']


class Tally:
    def __init__(self):
        self.passed = self.failed = 0

    def add(self, name, passed, failed, seconds, output=''):
        self.passed += passed
        self.failed += failed
        print(f'{"FAIL" if failed else "ok  "} {name}: {passed} passed'
              f'{f", {failed} failed" if failed else ""} ({seconds:.1f} s)', flush=True)
        if failed and output:
            print(output[-20000:], flush=True)


def run(command, deadline_s, env=None):
    """Exit status and output; a run past its deadline is a failure like any other."""
    began = time.monotonic()
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=deadline_s, env={**os.environ, **(env or {})}, cwd=ROOT)
        return done.returncode, done.stdout.decode(errors='replace'), time.monotonic() - began
    except subprocess.TimeoutExpired as late:
        text = (late.stdout or b'').decode(errors='replace')
        return -1, f'{text}\nno end within {deadline_s} s', time.monotonic() - began


def unit(build, tally):
    for program in sorted((build / 'unit').glob('*/test_*')):
        if program.is_dir() or not os.access(program, os.X_OK):
            continue
        status, text, s = run([str(program)], UNIT_DEADLINE_S, {'CMOCKA_MESSAGE_OUTPUT': 'TAP'})
        passed = len(re.findall(r'^ok \d+', text, re.M))
        failed = len(re.findall(r'^not ok \d+', text, re.M))
        if status and not failed or not passed + failed:
            failed += 1
        tally.add(f'unit/{program.parent.name}/{program.name}', passed, failed, s, text)


def corpus(build, tally):
    for program in sorted((build / 'replay').glob('fuzz_*')):
        name = program.name[len('fuzz_'):]
        seeds = ROOT / 'tests/fuzz/corpus' / name
        n = sum(1 for f in seeds.rglob('*') if f.is_file()) if seeds.is_dir() else 0
        if not n:
            tally.add(f'corpus/{name}', 0, 1, 0, f'no seeds in {seeds}')
            continue
        status, text, s = run([str(program), str(seeds)], CORPUS_DEADLINE_S)
        tally.add(f'corpus/{name}', 0 if status else n, 1 if status else 0, s, text)


def sim(build, tally):
    program = str(build / 'sim')
    status, text, s = run([program, *SIM_SEEDS], SIM_DEADLINE_S)
    tally.add('sim/seeds', 0 if status else 1, 1 if status else 0, s, text)
    status, text, s = run([program, *SIM_ONE], SIM_DEADLINE_S)
    again = run([program, *SIM_ONE], SIM_DEADLINE_S)
    ok = status == 0 and again[:2] == (status, text)
    tally.add('sim/one-seed-one-log', int(ok), int(not ok), s + again[2],
              text if status else 'the event log of one seed is another one the second time')


def pytest(build, tally, suite, deadline_s, venv='venv', paths=None, daemons=None, env=None):
    report = build / f'{suite}.xml'
    report.unlink(missing_ok=True)
    python = build / venv / 'bin/python'
    status, text, s = run([str(python), '-m', 'pytest', '-q', '-x' if suite == 'crash' else '-ra',
                           '-p', 'no:cacheprovider', f'--junitxml={report}',
                           '-o', 'tmp_path_retention_policy=failed', '-o', 'tmp_path_retention_count=1',
                           *(paths or [f'tests/{suite}'])],
                          deadline_s, {**(env or {}), 'TOQUE_BUILD': str(daemons or build)})
    if not report.exists():
        tally.add(suite, 0, 1, s, text)
        return
    total = failed = skipped = 0
    for one in xml.parse(report).getroot().iter('testsuite'):
        total += int(one.get('tests'))
        failed += int(one.get('failures')) + int(one.get('errors'))
        skipped += int(one.get('skipped'))
    if skipped:
        print(f'     {suite}: {skipped} skipped', flush=True)
        print('\n'.join(line for line in text.splitlines() if line.startswith('SKIPPED')))
    if status and not failed:
        failed = 1
    tally.add(suite, total - failed - skipped, failed, s, text)


def main():
    options = argparse.ArgumentParser()
    options.add_argument('--build', default='build')
    options.add_argument('--suite', action='append', default=[], choices=[*SUITES, 'delayed-all', 'clients'])
    options.add_argument('what', nargs='*', help='suites, and files for those that are run by pytest')
    options = options.parse_args()
    suites = options.suite + [w for w in options.what if not pathlib.Path(w).suffix]
    files = [w for w in options.what if pathlib.Path(w).suffix] or None
    build, tally = pathlib.Path(options.build).resolve(), Tally()
    for suite in suites or SUITES:
        if suite == 'unit':
            unit(build, tally)
        elif suite == 'corpus':
            corpus(build, tally)
        elif suite == 'sim':
            sim(build, tally)
        elif suite == 'query':
            pytest(build, tally, suite, 1200, 'venv-query', files or ['tests/e2e/sqs'])
        elif suite in DELAYED:
            share = {k: os.environ.get(k, v) for k, v in DELAYED_SHARE.items()}
            pytest(build, tally, suite, 2400, paths=DELAYED[suite], daemons=build / 'delaying',
                   env=share if suite == 'delayed' else None)
        elif suite in [*SUITES, 'clients']:
            pytest(build, tally, suite, 2400, paths=files)
        else:
            sys.exit(f'no such suite: {suite}')
    print(f'{tally.passed} passed, {tally.failed} failed')
    return 1 if tally.failed or not tally.passed else 0


sys.exit(main())
