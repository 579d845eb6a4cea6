"""A kernel to try filters on, and children to try hardening on."""

import json
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

CASES = Path(__file__).with_name("cases.py")


@pytest.fixture
def linux() -> None:
    if sys.platform != "linux":
        pytest.skip("Linux is missing")


@pytest.fixture
def in_child(linux: None) -> Callable[..., Any]:
    """Run a function of ``cases.py`` in a process of its own and return what it returned."""

    def run(case: str, *args: Any) -> Any:
        child = subprocess.run(
            [sys.executable, "-I", "-S", str(CASES)],
            input=json.dumps({"path": sys.path, "case": case, "args": args}),
            capture_output=True,
            text=True,
            env={"LLMSPELL_TEST_SECRET": "canary"},
            timeout=60,
        )
        assert child.returncode == 0, f"{case} ended with {child.returncode}: {child.stderr}"
        return json.loads(child.stdout)

    return run


@pytest.fixture
def decide() -> Callable[..., int]:
    """A kernel's reading of classic BPF: what a filter answers to one system call."""

    def run(program: bytes, arch: int, number: int, *args: int) -> int:
        padded = [*args, 0, 0, 0, 0, 0, 0][:6]
        data = struct.pack("=IIQ6Q", number, arch, 0, *(arg & 0xFFFFFFFFFFFFFFFF for arg in padded))
        code = list(struct.iter_unpack("=HBBI", program))
        accumulator = at = 0
        for _ in range(len(code)):
            operation, if_true, if_false, constant = code[at]
            at += 1
            if operation == 0x20:
                (accumulator,) = struct.unpack_from("=I", data, constant)
            elif operation == 0x54:
                accumulator &= constant
            elif operation == 0x15:
                at += if_true if accumulator == constant else if_false
            elif operation == 0x35:
                at += if_true if accumulator >= constant else if_false
            elif operation == 0x06:
                return int(constant)
            else:
                raise AssertionError(f"instruction {operation:#x} is not one of ours")
        raise AssertionError("the filter ran past its end")

    return run
