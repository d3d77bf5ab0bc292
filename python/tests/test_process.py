"""A good neighbour in one process: threads, signals, forks, other libraries, file descriptors."""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import attnlaw

LONG = "attnlaw.simulate(alpha=2, lambda_=0.05, d=100, instances=400, tolerance=1e-12)"


def test_ctrl_c_ends_a_call_within_a_second(python):
    python(f"""
import attnlaw, os, signal, threading, time
before = len(os.listdir("/proc/self/task"))
for call in (lambda: {LONG}, lambda: attnlaw.solve(alpha=[0.3] * 5000, lambda_=0.05, tokens=4)):
    threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    begin = time.monotonic()
    try:
        call()
    except KeyboardInterrupt:
        pass
    else:
        raise AssertionError("was not interrupted")
    # Half a second until the signal, and one to end; a busy machine gets another.
    assert time.monotonic() - begin < 2.5, time.monotonic() - begin
time.sleep(0.1)
assert len(os.listdir("/proc/self/task")) <= before + 1
assert attnlaw.solve(alpha=0.3, lambda_=0.05).converged
""")


# Loops of every kind: sampled matrices, a long list of eigenvalues, products, decompositions and factorisations of
# large matrices, and the points of an adapter.
@pytest.mark.parametrize(
    "call",
    [
        "solve(student='untied', head='linear', alpha=2, lambda_=1e-5)",
        "solve(head='linear', alpha=0.3, lambda_=0.05, target='powerlaw:2,100000000')",
        "lofi(target='sine:8,1.5', d=1200, n=16000, threads=1)",
        "icl(context=1, tasks=1, sequences=1, lambda_=0.1, d=100, instances=2, solver='normal', threads=1)",
        "softmax_law(beta=0.5, rho=1, simulate=4000, instances=2, threads=1)",
        "lora(alpha_ft=2, e_pre=0, tokens=3, accuracy=1e-4)",
    ],
)
def test_ctrl_c_ends_every_kind_of_work(python, call):
    python(f"""
import attnlaw, os, signal, threading, time
def press():
    global pressed
    pressed = time.monotonic()
    os.kill(os.getpid(), signal.SIGINT)
pressed = None
threading.Timer(1.5, press).start()
try:
    attnlaw.{call}
except KeyboardInterrupt:
    # One second, and as much again on a busy machine.
    assert time.monotonic() - pressed < 2, time.monotonic() - pressed
    os._exit(0)  # not after the threads that are left to their ends
else:
    raise AssertionError("ended by itself" + (" after the signal" if pressed else ", before the signal"))
""")


def test_other_threads_of_python_go_on(python):
    python("""
import attnlaw, threading, time
ticks = []
def tick():
    while not done:
        ticks.append(time.monotonic()); time.sleep(0.01)
done = False
thread = threading.Thread(target=tick); thread.start()
attnlaw.solve(alpha=[0.3] * 60, lambda_=0.05)
done = True; thread.join()
assert max(b - a for a, b in zip(ticks, ticks[1:])) < 2
""")


def test_eight_threads_at_once():
    alphas = np.linspace(0.1, 2, 24)
    alone = [attnlaw.solve(alpha=alpha, lambda_=0.05).errors.test for alpha in alphas]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda alpha: attnlaw.solve(alpha=alpha, lambda_=0.05).errors.test, alphas))
    assert together == alone


def test_importing_starts_no_thread_and_prints_nothing(python):
    done = python("""
import numpy, os
before = len(os.listdir("/proc/self/task"))
import attnlaw
attnlaw.solve(alpha=0.3, lambda_=0.05)
attnlaw.simulate(alpha=0.5, lambda_=0.05, d=20, instances=3)
assert len(os.listdir("/proc/self/task")) == before
""")
    assert done.stdout == done.stderr == ""


def test_nothing_goes_to_file_descriptors_behind_python(python):
    done = python("""
import sys, io, warnings
sys.stdout = sys.stderr = io.StringIO()
warnings.simplefilter("ignore")
import attnlaw
print(attnlaw.solve(alpha=0.3, lambda_=0.05, seed=1))
try:
    attnlaw.solve(alpha=-1, lambda_=1)
except ValueError as error:
    print(error)
attnlaw.solve(alpha=[0.1, 0.2], lambda_=0.05, progress=True)
""")
    assert done.stdout == done.stderr == ""


def test_importing_is_quick(python):
    code = "import time; import numpy; a = time.process_time(); import attnlaw; print(time.process_time() - a)"
    seconds = min(float(python(code).stdout) for _ in range(3))
    assert seconds < 0.15


@pytest.mark.parametrize("first", ["attnlaw", "numpy"])
def test_fork_after_use(python, first):
    python(f"""
import {first}
import attnlaw, numpy, multiprocessing
def work(alpha):
    numpy.linalg.eigvalsh(numpy.eye(300))
    error = attnlaw.solve(alpha=alpha, lambda_=0.05, progress=lambda *_: None).errors.test
    return error, float(attnlaw.semicircle(1).sample(2)[0])
here = work(0.3)
attnlaw.simulate(alpha=0.5, lambda_=0.05, d=20, instances=3)
with multiprocessing.get_context("fork").Pool(3) as pool:
    there = pool.map_async(work, [0.3] * 3, chunksize=1).get(timeout=50)
assert {{figure for figure, _ in there}} == {{here[0]}}
assert len({{drawn for _, drawn in there}} | {{here[1]}}) == 4
""")


# The pools that people have beside that of the standard library, with processes that are forked from one that was used.
POOLS = {
    "joblib": "joblib.Parallel(3, backend='multiprocessing')(joblib.delayed(work)(0.3) for _ in range(3))",
    "dask": "dask.compute(*[dask.delayed(work)(0.3) for _ in range(3)], scheduler='processes', num_workers=3)",
}


@pytest.mark.parametrize("library", POOLS)
def test_pools_of_others(python, tmp_path, library):
    pytest.importorskip(library)
    # What a process is sent must be found there by its name.
    (tmp_path / "worker.py").write_text("""
import attnlaw
def work(alpha):
    return attnlaw.solve(alpha=alpha, lambda_=0.05).errors.test, float(attnlaw.laws.semicircle(1).sample(2)[0])
""")
    python(f"""
import sys
sys.path.insert(0, {str(tmp_path)!r})
import {library}
from worker import work
here = work(0.3)
there = {POOLS[library]}
assert {{figure for figure, _ in there}} == {{here[0]}}
assert len({{drawn for _, drawn in there}} | {{here[1]}}) == 4
""")


@pytest.mark.slow
@pytest.mark.parametrize("order", ["import torch, attnlaw", "import attnlaw, torch"])
def test_torch_beside(python, torch, order):
    """Each has a BLAS and an OpenMP of its own; neither sees the other's, whoever comes first."""
    error = attnlaw.solve(alpha=0.3, lambda_=0.05).errors.test
    python(
        f"""
import sys
sys.path.append({torch!r})
{order}
def both():
    a = torch.eye(300) + 0.1
    assert abs(float(torch.linalg.eigvalsh(a @ a)[-1]) - 31**2) < 1
    assert attnlaw.solve(alpha=0.3, lambda_=0.05).errors.test == {error!r}
    attnlaw.simulate(alpha=0.5, lambda_=0.05, d=20, instances=3)
torch.set_num_threads(2)
both()
both()
""",
        timeout=120,
    )


@pytest.mark.slow
def test_a_kernel_that_was_interrupted_starts_again():
    manager = pytest.importorskip("jupyter_client").KernelManager()
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    patience = 60

    def error_of(code, meanwhile=lambda: None):
        """The name of the exception that a cell ends with; `meanwhile` is called once it runs."""
        asked = client.execute(code)
        while True:
            message = client.get_iopub_msg(timeout=patience)
            kind, content = message["msg_type"], message["content"]
            if message["parent_header"].get("msg_id") != asked:
                continue
            if kind == "stream":
                meanwhile()
            elif kind == "error":
                return content["ename"]
            elif kind == "status" and content["execution_state"] == "idle":
                return None

    def interrupt():
        time.sleep(0.5)
        manager.interrupt_kernel()

    works = "import attnlaw\nassert attnlaw.solve(alpha=0.3, lambda_=0.05).converged"
    try:
        client.wait_for_ready(timeout=patience)
        assert error_of(f"import attnlaw\nprint('begins', flush=True)\n{LONG}", interrupt) == "KeyboardInterrupt"
        assert error_of(works) is None
        manager.restart_kernel(now=True)
        client.wait_for_ready(timeout=patience)
        assert error_of(works) is None
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def test_joblib_workers_share_the_processors(python):
    pytest.importorskip("joblib")
    python("""
import joblib, os
def threads():
    import attnlaw
    attnlaw.solve(alpha=0.3, lambda_=0.05)
    return attnlaw.get_threads()
if __name__ == "__main__":
    found = joblib.Parallel(n_jobs=8)(joblib.delayed(threads)() for _ in range(8))
    assert max(found) <= max(1, os.cpu_count() // 8), found
""")


def test_limits_on_threads_are_obeyed(python):
    code = "import attnlaw; print(attnlaw.get_threads())"
    assert python(code, {"OMP_NUM_THREADS": "1"}).stdout == "1\n"
    assert python(code, {"OMP_NUM_THREADS": "1,4"}).stdout == "1\n"
    bound = "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}); " + code
    assert python(bound).stdout == "1\n"
    assert python("import attnlaw; attnlaw.set_threads(1); print(attnlaw.get_threads())").stdout == "1\n"


@pytest.mark.parametrize(
    "call",
    [
        "attnlaw.solve(alpha=[0.3] * 40, lambda_=0.05)",
        "attnlaw.laws.semicircle_sum('wishart:0.5', 0.1).density(numpy.linspace(-1, 4, 1_000_000))",
        "attnlaw.laws.product_law(0.5).stieltjes(numpy.linspace(0.1, 3, 2000) + 0.1j)",
    ],
)
def test_one_thread_takes_one_processor(python, call):
    python(
        f"""
import attnlaw, attnlaw.laws, numpy, time
wall, cpu = time.monotonic(), time.process_time()
{call}
wall, cpu = time.monotonic() - wall, time.process_time() - cpu
assert cpu < 1.15 * wall + 0.05, (cpu, wall)
""",
        {"OMP_NUM_THREADS": "1"},
    )


def test_blas_of_others_keeps_its_threads():
    """Where NumPy and attnlaw share one OpenBLAS, as those of Debian do, it keeps the number of its threads."""
    debian = "/usr/bin/python3"
    minor = f"import sys, numpy; assert sys.version_info[:2] == {tuple(sys.version_info[:2])}"
    if subprocess.run([debian, "-c", minor], capture_output=True, check=False).returncode != 0:
        pytest.skip("there is no NumPy of Debian for this Python")
    code = f"""
import sys
sys.path.insert(0, {str(Path(attnlaw.__file__).parents[1])!r})
import ctypes, numpy
numpy.linalg.eigvalsh(numpy.eye(3))
shared = [line.split()[-1] for line in open("/proc/self/maps") if "openblas" in line]
if not shared:
    print("NumPy has another BLAS")
    sys.exit()
blas = ctypes.CDLL(shared[0])
blas.openblas_set_num_threads(2)
import attnlaw, attnlaw.laws
attnlaw.simulate(alpha=0.5, lambda_=0.05, d=20, instances=3)
attnlaw.laws.semicircle_sum("wishart:0.5", 0.1).sample(50)
assert blas.openblas_get_num_threads() == 2, blas.openblas_get_num_threads()
"""
    done = subprocess.run([debian, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    if done.stdout:
        pytest.skip(done.stdout.strip())


def test_waiting_is_sleeping(python):
    python("""
import attnlaw, time
attnlaw.solve(alpha=0.3, lambda_=0.05)
begin = time.thread_time()
whole = time.process_time()
attnlaw.solve(alpha=0.3, lambda_=0.05, tokens=3, threads=1)
assert time.thread_time() - begin < 0.2 * (time.process_time() - whole)
""")


def test_threadpoolctl_is_obeyed(python):
    pytest.importorskip("threadpoolctl")
    python("""
import attnlaw, threadpoolctl
before = attnlaw.get_threads()
with threadpoolctl.threadpool_limits(1):
    assert attnlaw.get_threads() == 1
assert attnlaw.get_threads() == before
""")


def test_no_symbol_of_ours_is_seen():
    from attnlaw import _core

    listed = subprocess.run(["nm", "-D", "--defined-only", _core.__file__], capture_output=True, text=True, check=True)
    names = {line.split()[-1] for line in listed.stdout.splitlines()}
    assert names == {"PyInit__core", "openblas_num_threads_env"}


def test_another_interpreter_in_the_process_is_refused(python):
    python("""
import attnlaw
path = attnlaw._core.__file__
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
inner = interpreters.create()
code = f'''
from importlib import util
specification = util.spec_from_file_location("_core", {path!r})
try:
    specification.loader.exec_module(util.module_from_spec(specification))
except ImportError as error:
    assert "interpreter" in str(error), error
else:
    raise SystemError("it was imported")
'''
try:
    failed = interpreters.run_string(inner, code)
except Exception as error:
    failed = error
assert not failed, failed
""")


def test_calls_are_cheap():
    attnlaw.solve(alpha=0.3, lambda_=0.05, head="linear")
    beyond = []
    for _ in range(500):
        begin = time.perf_counter()
        result = attnlaw.solve(alpha=0.3, lambda_=0.05, head="linear")
        beyond.append(time.perf_counter() - begin - result.diagnostics.seconds)
    # The least of many: that of a busy machine is not its cost. bench/python_bench.py has the figure.
    assert min(beyond) < 1e-3


def resident():
    with open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize("calls", [500, pytest.param(10_000, marks=pytest.mark.slow)])
def test_memory_stays_flat(calls):
    law = attnlaw.semicircle(1.0)

    def once(i):
        attnlaw.solve(alpha=0.3 + i * 1e-6, lambda_=0.05, head="linear")
        attnlaw.Problem(alpha=0.3, lambda_=0.05).to_dict()
        law.density(np.linspace(-2, 2, 50))
        with pytest.raises(ValueError, match="alpha"):
            attnlaw.Problem(alpha=-1, lambda_=1)

    for i in range(calls // 5):
        once(i)
    before = resident()
    for i in range(calls):
        once(i)
    megabyte = 1 << 20
    assert resident() - before < 4 * megabyte
