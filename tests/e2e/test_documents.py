"""What the documents name exists: files and folders of the checkout, and targets of the Makefile."""
import re

import pytest
from daemons import ROOT

DOCUMENTS = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'tests/sim/README.md', 'tests/stores/README.md']
PLACES = 'common|filter|queued|topicd|config|tests'
# A path behind a backtick, a bracket or a blank; what contains a place-holder is none.
PATH = re.compile(rf'(?:^|[`( ])((?:{PLACES})/[\w./-]*\w)(?=[`),;:. ]|$)', re.M)


@pytest.mark.parametrize('name', DOCUMENTS)
def test_paths_exist(name):
    text = (ROOT / name).read_text()
    paths = sorted(set(PATH.findall(text)))
    assert name != 'CONTRIBUTING.md' or len(paths) > 50
    assert [p for p in paths if not (ROOT / p).exists()] == []


@pytest.mark.parametrize('name', ['README.md', 'CONTRIBUTING.md'])
def test_targets_exist(name):
    makefile = (ROOT / 'Makefile').read_text()
    targets = set(re.findall(r'(?:^ *|`)make ([a-z][a-z-]*)', (ROOT / name).read_text(), re.M))
    assert 'test' in targets
    assert [t for t in sorted(targets) if not re.search(rf'^{t}:', makefile, re.M)] == []


def test_every_threat_names_its_tests():
    table = (ROOT / 'SECURITY.md').read_text().split('## Threats')[1]
    rows = [line for line in table.splitlines() if line.startswith('| ')][2:]
    assert len(rows) >= 15
    assert [row for row in rows if not re.search(r'`tests/[\w/.]+`[^|]*\|$', row)] == []
