import pathlib, sys

HERE = pathlib.Path(__file__).parent
sys.path[:0] = [str(HERE.parent / 'crash'), str(HERE.parent / 'e2e')]
