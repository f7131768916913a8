import importlib.util, os, pathlib, sys

# A sanitizer keeps what was freed; so much of it leaves the bounds on memory meaningful.
os.environ['ASAN_OPTIONS'] = ':'.join(filter(None, [os.environ.get('ASAN_OPTIONS'),
                                                    'quarantine_size_mb=1']))

HERE = pathlib.Path(__file__).parent
E2E = HERE.parent / 'e2e'
sys.path[:0] = [str(HERE), str(E2E)]

spec = importlib.util.spec_from_file_location('e2e_fixtures', E2E / 'conftest.py')
fixtures = importlib.util.module_from_spec(spec)
spec.loader.exec_module(fixtures)
toque, still, make_toque = fixtures.toque, fixtures.still, fixtures.make_toque
