"""The benchmarks run; no figure of theirs is judged here."""
import os, subprocess, sys

import pytest

from daemons import BUILD, ROOT

DEADLINE_S = 120


@pytest.mark.skipif(not (BUILD / 'bench/load').exists(), reason='this build has no load generator')
@pytest.mark.parametrize('part', ['sync', 'limit', 'send', 'signed', 'receive', 'latency', 'fanout'])
def test_a_part_of_the_bench_runs(part):
    done = subprocess.run([sys.executable, str(ROOT / 'tests/bench/bench.py'), '--build', str(BUILD), '--quick',
                           '--seconds', '0.1', '--only', part], capture_output=True, text=True, timeout=DEADLINE_S,
                          env={**os.environ, 'ASAN_OPTIONS': 'detect_leaks=0'})  # the generator frees nothing
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ''
    assert 'bench=' in done.stdout
