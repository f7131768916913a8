"""event-ruler as a reference: built by Maven where that and Java are, run on the same files."""
import pathlib, shutil, subprocess

HERE = pathlib.Path(__file__).resolve().parent / 'event-ruler'
# The serial collector and a heap that is touched before: the settings it is fastest with.
JAVA = ['java', '-Xms3g', '-Xmx3g', '-XX:+AlwaysPreTouch', '-XX:+UseSerialGC']


class Ruler:
    def __init__(self, path):
        self.path = path

    def run(self, policies, events, seconds, clock='ns_per_event'):
        """The count line's matches and hash, and ns an event."""
        done = subprocess.run([*JAVA, '-cp', self.path, 'RulerBench', str(policies), str(events),
                               str(seconds)], capture_output=True, text=True)
        if done.returncode:
            print('reference=event-ruler cannot run this:', done.stderr.strip().splitlines()[-1:],
                  flush=True)
            return (0, ''), float('nan')
        count, figures = done.stdout.splitlines()
        words = count.split()
        ns = dict(p.split('=', 1) for p in figures.split())[clock]
        return (int(words[3]), words[5]), float(ns)


def prepare(build):
    """The driver, compiled; None when Java or Maven is missing."""
    if not shutil.which('java') or not shutil.which('mvn'):
        print('reference=event-ruler needs Java and Maven: left out', flush=True)
        return None
    target = pathlib.Path(build).resolve() / 'event-ruler'
    mvn = ['mvn', '-q', '-B', '-f', str(HERE / 'pom.xml'), f'-DbuildDirectory={target}']
    libraries = target / 'libraries'
    if not libraries.exists():
        subprocess.run([*mvn, 'dependency:copy-dependencies', f'-DoutputDirectory={libraries}',
                        '-DincludeScope=runtime'], check=True)
    classes = target / 'classes'
    classes.mkdir(parents=True, exist_ok=True)
    subprocess.run(['javac', '-cp', f'{libraries}/*', '-d', str(classes),
                    str(HERE / 'src/main/java/RulerBench.java')], check=True)
    return Ruler(f'{classes}:{libraries}/*')
