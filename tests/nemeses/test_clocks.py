"""Wrong clocks in live processes: each kind against its formula, hot threads, children, exact healing. And the stubs' machine code."""

import os
import random
import shutil
import signal
import struct
import subprocess
import sys
import time

import pytest

from nemeses.agent import clock, relocate, stubs, vdso
from nemeses.agent.clock import Change, together
from nemeses.agent.observe import observe
from nemeses.agent.vdso import Params
from tests.nemeses.lab import AGENT, Lab, bare_agent, needs_lab, until

S = 1_000_000_000
NEAR = 2_000_000  # ns: a process under load reads its two clocks so far apart at most, the median of tries


def skew(lab, name="n1"):
    return sorted(lab.ask(name)["skew"] for _ in range(5))[2]


@pytest.fixture(scope="module")
def lab():
    made = Lab(spin=True)  # every node has two threads that read the clock all the time
    yield made
    made.close()


@pytest.fixture
def ask(lab):
    with bare_agent(lab.agent_argv()) as asking:
        asking("open", run=lab.run_id, links=False)
        yield asking


def skewed(ask, lab, token, **change):
    found = ask("skew", token=token, clocks={"n1": change}, nodes=lab.places())
    assert found["in_place"], found
    return found["nodes"]["n1"]


@needs_lab
def test_bump_both_ways_with_hot_threads_and_exact_healing(lab, ask):
    pid = lab.services["n1"].pid
    own = vdso.read_whole(pid)[: vdso.image().stub_at]
    mono = lab.ask("n1")["mono"]
    for offset in (3600 * S, -3600 * S, 1_500_000_000):
        shown = skewed(ask, lab, "1", offset_ns=offset)
        assert abs(skew(lab) - offset) < NEAR and abs(shown["offset_ns"] - offset) < NEAR
        assert clock.is_patched(pid)
        assert ask("undo", token="1")["in_place"]
        assert abs(skew(lab)) < NEAR and not clock.is_patched(pid)
        assert vdso.read_whole(pid)[: vdso.image().stub_at] == own  # bytes as they were
    assert 0 < lab.ask("n1")["mono"] - mono < 30  # the monotonic clock never moved


@needs_lab
def test_drift_runs_at_its_rate_and_strobe_shows_both_times(lab, ask):
    skewed(ask, lab, "1", rate=1.5)
    first = lab.ask("n1")  # both figures are of one answer: whatever else the machine does, they belong together
    time.sleep(0.3)
    then = lab.ask("n1")
    assert abs((then["skew"] - first["skew"]) / S - 0.5 * (then["mono"] - first["mono"])) < 0.02
    ask("undo", token="1")
    skewed(ask, lab, "2", strobe_ns=S, strobe_period_ns=S // 5)
    seen = {round(lab.ask("n1")["skew"] / S) for _ in range(60) if not time.sleep(0.007)}
    assert seen == {0, 1}
    assert ask("undo", token="2")["exercised"]


@needs_lab
def test_two_tokens_add_up_and_each_takes_its_own_part_away(lab, ask):
    skewed(ask, lab, "1", offset_ns=2 * S)
    skewed(ask, lab, "2", offset_ns=3 * S)
    assert abs(skew(lab) - 5 * S) < NEAR
    ask("undo", token="1")
    assert abs(skew(lab) - 3 * S) < NEAR
    ask("undo", token="2")
    assert abs(skew(lab)) < NEAR


@needs_lab
def test_children_and_stopped_processes_are_reached_and_healed(lab, ask):
    places = lab.places()
    ask("pause", token="0", nodes={"n1": places["n1"]})
    skewed(ask, lab, "1", offset_ns=7 * S)  # of a process that is stopped
    time.sleep(0.05)
    with open(f"/proc/{lab.services['n1'].pid}/stat") as file:
        assert file.read().rpartition(")")[2].split()[0] == "T"  # and stays so
    ask("undo", token="0")
    assert abs(skew(lab) - 7 * S) < NEAR
    lab.ask("n1", "fork")
    later = subprocess.Popen(["nsenter", "--net=" + lab.netns("n1"), "sleep", "30"])  # comes inside the window, by exec
    try:
        until(lambda: clock.is_patched(later.pid), 1)
        figures = ask("undo", token="1")
        assert figures["in_place"] and figures["nodes"]["n1"]["patched"] >= 3, figures
        assert not clock.is_patched(later.pid)
    finally:
        later.kill()
        later.wait()
    assert ask("traces") == {"traces": []}


@needs_lab
def test_a_thousand_toggles_under_hot_threads_hurt_nobody(lab):
    pid = lab.services["n2"].pid
    until_time = time.monotonic() + 1.5
    toggles = 0
    while time.monotonic() < until_time:
        vdso.apply(pid, Params(offset=S), 99)
        vdso.remove(pid)
        toggles += 1
    assert lab.services["n2"].poll() is None and toggles > 50
    assert abs(skew(lab, "n2")) < NEAR


@needs_lab
def test_a_signal_that_comes_while_threads_are_stopped_is_not_lost(lab):
    program = "import signal, sys, time\nn = [0]\nsignal.signal(10, lambda *_: n.__setitem__(0, n[0] + 1))\nprint(flush=True)\n"
    program += "while True:\n    line = sys.stdin.readline()\n    print(n[0], flush=True)\n"
    process = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
    process.stdout.readline()
    caught = 0
    for number in range(200):
        os.kill(process.pid, signal.SIGUSR1)
        vdso.apply(process.pid, Params(offset=S), 99) if number % 2 else vdso.remove(process.pid)
        process.stdin.write("?\n")
        caught = int(process.stdout.readline())
        assert caught == number + 1
    process.kill()
    process.wait()


def test_what_a_process_would_see_is_observed_by_running_its_code():
    pid = os.fork()
    if pid == 0:
        time.sleep(30)
        os._exit(0)
    try:
        params = Params(t0=time.time_ns() - S, rate=1 << 31, offset=-4 * S)
        vdso.apply(pid, params, 5)
        assert vdso.read_params(pid) == params and vdso.patched_by(pid) == 5
        before, shown, after = observe({pid: vdso.read_whole(pid)})[pid]
        assert params.shown(before) <= shown <= params.shown(after)
        assert vdso.remove(pid) and not vdso.remove(pid)
        before, shown, after = observe({pid: vdso.read_whole(pid)})[pid]
        assert before <= shown <= after
    except PermissionError:
        pytest.skip("ptrace of an own child is forbidden here")
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def test_changes_add_up_without_a_jump():
    rng = random.Random(1)
    for _ in range(300):
        changes = [Change(rng.randrange(10**9), rng.randrange(-(10**10), 10**10), rng.randrange(-(2**31), 2**32), 0, 0) for _ in range(3)]
        now = 10**9 + rng.randrange(10**10)
        later = now + rng.randrange(10**11)
        apart = sum(Params(c.since, c.rate, c.offset).shown(later) - later for c in changes)
        assert abs(together(changes, now).shown(later) - later - apart) <= 6  # each part is rounded down once


def assembled(name, tmp_path):
    """Bytes of a stub's source, by whichever assembler is here."""
    source, obj, flat = AGENT / f"stub_{name}.s", tmp_path / "stub.o", tmp_path / "stub.bin"
    if name == "x86_64" and shutil.which("as") and shutil.which("objcopy") and os.uname().machine == "x86_64":
        steps = [["as", source, "-o", obj], ["objcopy", "-O", "binary", "-j", ".text", obj, flat]]
    elif shutil.which("llvm-mc") and shutil.which("llvm-objcopy"):
        llvm = {"x86_64": "x86-64", "aarch64": "aarch64"}[name]
        steps = [
            ["llvm-mc", f"-arch={llvm}", "-filetype=obj", source, "-o", obj],
            ["llvm-objcopy", "-O", "binary", "-j", ".text", obj, flat],
        ]
    else:
        pytest.skip(f"no assembler for {name} here (as and objcopy, or llvm-mc and llvm-objcopy)")
    for step in steps:
        subprocess.run(step, check=True)
    return flat.read_bytes()


@pytest.mark.parametrize("name", ["x86_64", "aarch64"])
def test_the_stubs_bytes_are_their_sources(name, tmp_path):
    assert assembled(name, tmp_path) == getattr(stubs, name.upper()).code


@pytest.mark.parametrize("name", ["x86_64", "aarch64"])
def test_the_stubs_compute_their_formula(name):
    unicorn = pytest.importorskip("unicorn", reason="the emulator unicorn is not installed")
    stub, rng = getattr(stubs, name.upper()), random.Random(7)
    machine = Machine(unicorn, name, stub)
    for number in range(400):
        true = rng.randrange(10**9, 4 * 10**18)
        wave = rng.choice([0, 0, rng.randrange(10**6, 10**10)])
        params = Params(
            true - rng.randrange(10**15),
            rng.randrange(-(2**32), 2**33),
            rng.randrange(-(10**14), 10**14),
            wave,
            rng.randrange(-(10**10), 10**10),
        )
        machine.load(params, bank=number % 2)
        shown = params.shown(true)
        for clock_id in (0, 5, 11):
            assert machine.clock_gettime(clock_id, true) == divmod(shown, S), (params, true)
        for clock_id in (1, 4, 7, 40):
            assert machine.clock_gettime(clock_id, true) == divmod(true, S)  # never touched
        if shown >= 0:
            assert machine.gettimeofday(true) == (shown // S, shown % S // 1000)
            assert machine.time(true) in (shown // S, None)


class Machine:
    """A stub in an emulator, whose `original` part is a system call that writes the true time."""

    BASE, STACK, DATA, END = 0x10000, 0x40000, 0x50000, 0x60000

    def __init__(self, unicorn, name, stub):
        self.stub, self.arm, self.true = stub, name == "aarch64", 0
        if self.arm:
            from unicorn import arm64_const as regs

            self.cpu = unicorn.Uc(unicorn.UC_ARCH_ARM64, unicorn.UC_MODE_ARM)
            self.args = (regs.UC_ARM64_REG_X0, regs.UC_ARM64_REG_X1)
            self.sp, self.link = regs.UC_ARM64_REG_SP, regs.UC_ARM64_REG_X30
            self.cpu.hook_add(unicorn.UC_HOOK_INTR, self.syscall)
        else:
            from unicorn import x86_const as regs

            self.cpu = unicorn.Uc(unicorn.UC_ARCH_X86, unicorn.UC_MODE_64)
            self.args = (regs.UC_X86_REG_RDI, regs.UC_X86_REG_RSI)
            self.sp, self.result = regs.UC_X86_REG_RSP, regs.UC_X86_REG_RAX
            self.cpu.hook_add(unicorn.UC_HOOK_INSN, self.syscall, None, 1, 0, regs.UC_X86_INS_SYSCALL)
        self.result = self.args[0] if self.arm else self.result
        self.cpu.mem_map(self.BASE, 0x60000)
        self.cpu.mem_write(self.BASE, stub.code)

    def syscall(self, cpu, *_):
        cpu.mem_write(cpu.reg_read(self.args[1]), struct.pack("<qq", *divmod(self.true, S)))
        cpu.reg_write(self.result, 0)

    def load(self, params, bank):
        self.cpu.mem_write(self.BASE + stubs.BANKS[bank], struct.pack(vdso.BANK, *params))
        self.cpu.mem_write(self.BASE + stubs.BANKS[1 - bank], os.urandom(40))
        self.cpu.mem_write(self.BASE + stubs.LIVE, struct.pack("<I", bank))

    def call(self, entry, first, second, true):
        self.true = true
        self.cpu.reg_write(self.args[0], first)
        self.cpu.reg_write(self.args[1], second)
        self.cpu.reg_write(self.sp, self.STACK - (0 if self.arm else 8))
        if self.arm:
            self.cpu.reg_write(self.link, self.END)
        else:
            self.cpu.mem_write(self.STACK - 8, struct.pack("<Q", self.END))
        self.cpu.emu_start(self.BASE + entry, self.END)
        return self.cpu.reg_read(self.result)

    def clock_gettime(self, clock_id, true):
        assert self.call(self.stub.clock_gettime, clock_id, self.DATA, true) == 0
        return struct.unpack("<qq", self.cpu.mem_read(self.DATA, 16))

    def gettimeofday(self, true):
        self.call(self.stub.gettimeofday, self.DATA, 0, true)
        return struct.unpack("<qq", self.cpu.mem_read(self.DATA, 16))

    def time(self, true):
        return self.call(self.stub.time, self.DATA, 0, true) if self.stub.time else None


def test_an_unknown_prologue_is_not_moved():
    assert relocate.moved_x86(bytes.fromhex("554889e54156") + bytes(16), 0, 256)[:5] == bytes.fromhex("554889e541")[:4] + b"\x41"
    assert relocate.moved_x86(bytes.fromhex("0f0b90909090") + bytes(16), 0, 256) is None
    lea = bytes.fromhex("488d0510000000") + bytes(16)  # lea rax, [rip+16]: from 256 the same address is 16 - 256 away
    assert struct.unpack_from("<i", relocate.moved_x86(lea, 0, 256), 3)[0] == 16 - 256
