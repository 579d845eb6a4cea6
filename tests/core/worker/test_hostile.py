"""A worker that was taken over may write anything to its socket. The host kills it, and nothing else happens."""

import struct
from typing import Any

import pytest

from llmspell.errors import EngineCrashed
from llmspell.values.wire import encode

FORKED_ONLY = {"test_a_lie_ends_the_worker_and_nothing_else"}  # what the host hears is the same

SAY = """
import os, struct
from llmspell.values.wire import encode
from llmspell.engine import messages as m
from llmspell.engine import GuestUsage
from llmspell.runtime.worker.protocol import Said, Ready
run = port._run
def raw(data):
    while data:
        data = data[os.write(port._data, data):]
def framed(payload):
    return struct.pack('!I', len(payload)) + payload
def frame(payload):
    raw(framed(payload))
def saying(*messages, **more):
    return encode(Said(more.pop('run', run), list(messages), **more))
def said(*messages, **more):
    frame(saying(*messages, **more))
def ext(value):
    head = encode({'type': 'said', 'run': run, 'messages': [{'type': 'done', 'id': 0, 'values': ['X']}]})
    frame(head.replace(encode('X'), value))
done = m.Done(0, [])
stay = 'while True: pass'
"""

LIES = {
    "garbage": "raw(os.urandom(64)); exec(stay)",
    "text": "raw(b'HTTP/1.1 200 OK\\r\\n\\r\\n'); exec(stay)",
    "a length over the cap": "raw(struct.pack('!I', 8 * 1024 * 1024 + 1)); exec(stay)",
    "the largest length": "raw(b'\\xff' * 4); exec(stay)",
    "a length of zero": "raw(bytes(4)); exec(stay)",
    "half a frame": "raw(struct.pack('!I', 100) + b'x' * 50); os._exit(0)",
    "half a header": "raw(b'\\0\\0'); os._exit(0)",
    "not MessagePack": "frame(b'\\xc1'); exec(stay)",
    "more after the value": "frame(encode(Said(run, [done])) + b'x'); exec(stay)",
    "a bare value": "frame(encode(1)); exec(stay)",
    "no type": "frame(encode({'run': run})); exec(stay)",
    "an unknown type": "frame(encode({'type': 'shutdown'})); exec(stay)",
    "a word of the host": "frame(encode(m.Reply(1))); exec(stay)",
    "a second greeting": "frame(encode(Ready(()))); exec(stay)",
    "an unknown extension": "frame(b'\\x82\\xa4type\\xa4emit\\xa4data\\xc7\\x01\\x63x'); exec(stay)",
    "a text that is not UTF-8": "frame(b'\\x83\\xa4type\\xa4emit\\xa4kind\\xa6output\\xa4data\\xa1\\xff'); exec(stay)",
    "a field of the wrong type": "frame(encode({'type': 'said', 'run': 'x', 'messages': []})); exec(stay)",
    "nesting without end": "frame(b'\\x82\\xa4type\\xa4emit\\xa4data' + b'\\x91' * 100_000 + b'\\xc0'); exec(stay)",
    "a result nested too deep": "v = []\nfor _ in range(500): v = [v]\nsaid(m.Done(0, [v])); exec(stay)",
    "arguments nested too deep": "v = {}\nfor _ in range(90): v = {'a': v}\nsaid(m.Call(1, 'a', 'b', [v])); exec(stay)",
    "a warning nested too deep": (
        "v = {}\nfor _ in range(90): v = {'a': v}\nframe(encode(m.Emit('warning', v))); exec(stay)"
    ),
    "another run": "said(done, run=run + 1); exec(stay)",
    "an old run": "said(done, run=run - 1); exec(stay)",
    "an answer nobody asked for": "said(m.Done(9, [])); exec(stay)",
    "a failure nobody asked for": "said(m.Failed(m.Failure(kind='runtime', message='x'), 9)); exec(stay)",
    "two ends": "said(done, done); exec(stay)",
    "a call after the end": "said(done, m.Call(1, 'a', 'b')); exec(stay)",
    "an end and more to come": "said(done, last=False); said(done); exec(stay)",
    "one call twice": "said(m.Call(1, 'a', 'b'), m.Call(1, 'a', 'b')); exec(stay)",
    "calls in the wrong order": "said(m.Call(2, 'a', 'b'), m.Call(1, 'a', 'b')); exec(stay)",
    "call zero": "said(m.Call(0, 'a', 'b')); exec(stay)",
    "a negative call": "said(m.Call(-1, 'a', 'b')); exec(stay)",
    # In one write: the second could otherwise come after the host's reply, and would then be an honest answer to it.
    "two answers to one message": (
        "raw(framed(saying(m.Call(1, 'a', 'b'))) + framed(saying(m.Call(2, 'a', 'b')))); exec(stay)"
    ),
    "an event of unknown kind": "frame(encode(m.Emit('exec', 'rm'))); exec(stay)",
    "output that is not a text": "frame(encode(m.Emit('output', [1]))); exec(stay)",
    "a warning that is not a record": "frame(encode(m.Emit('warning', 'x'))); exec(stay)",
    "a date after the last year": "ext(b'\\xc7\\x0c\\xff' + struct.pack('!Iq', 0, 253402300800)); exec(stay)",
    "a date rounded past it": "ext(b'\\xc7\\x0c\\xff' + struct.pack('!Iq', 999_999_999, 253402300799)); exec(stay)",
    "a date before the first year": "ext(b'\\xc7\\x0c\\xff' + struct.pack('!Iq', 0, -62135596801)); exec(stay)",
    "a date at the end of time": "ext(b'\\xc7\\x0c\\xff' + struct.pack('!Iq', 0, 2**63 - 1)); exec(stay)",
    "a date with more than a second of nanoseconds": (
        "ext(b'\\x91\\xd7\\xff' + struct.pack('!Q', 1_073_741_823 << 34)); exec(stay)"
    ),
    "a date of no size": "ext(b'\\xd4\\xff\\0'); exec(stay)",
    "a key that is a number": "ext(b'\\x81\\1\\2'); exec(stay)",
    "a key that is bytes": "ext(b'\\x81\\xc4\\1x\\2'); exec(stay)",
    "a key that is a date": "ext(b'\\x81\\xd6\\xff\\0\\0\\0\\1\\2'); exec(stay)",
    "a key that is a list": "ext(b'\\x81\\x91\\1\\2'); exec(stay)",
    "more messages than anybody can mean": (
        "some = [m.Emit('output', '')] * 100_000\nfor _ in range(3): said(*some, last=False)\nexec(stay)"
    ),
    "a failure of unknown kind": (
        "frame(encode({'type': 'said', 'run': run, 'messages': "
        "[{'type': 'failed', 'failure': {'kind': 'host', 'message': 'x'}}]})); exec(stay)"
    ),
    "millions of values": (
        "frame(encode(Said(run, []))[:-1] and b'\\x83\\xa4type\\xa4emit\\xa4kind\\xa7warning\\xa4data\\x81\\xa1x\\xdd'"
        " + struct.pack('!I', 8_000_000) + b'\\x90' * 8_000_000); exec(stay)"
    ),
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_a_lie_ends_the_worker_and_nothing_else(shared_bench: Any, lie: str, rss: Any) -> None:
    bench = shared_bench
    before = rss()
    outcome = bench.run(SAY + lie, answer=lambda *_: None, deadline=100)
    assert isinstance(outcome.error, EngineCrashed), outcome
    assert "did not stop" not in outcome.error.message
    assert rss() - before < 64 << 20
    assert bench.run("result = 'next'").value == "next"


@pytest.mark.parametrize("lie", ["garbage", "two ends", "a length over the cap", "another run"])
def test_a_loop_is_lied_to_no_better(bench: Any, in_loop: Any, lie: str) -> None:
    outcome = in_loop(bench.arun(SAY + LIES[lie]))
    assert isinstance(outcome.error, EngineCrashed)


def test_what_is_said_before_it_is_asked_for_ends_the_worker(bench: Any) -> None:
    """The guest ends well, and a thread of the worker goes on talking: the next run must not hear it."""
    text = (
        SAY + "import threading, time\nthreading.Timer(0.05, lambda: said(m.Done(0, ['forged']), run=run + 1)).start()"
    )
    assert bench.run(text).value is None
    import time

    time.sleep(0.2)  # gives the forged answer every chance to be there first
    assert bench.run("result = 'honest'").value == "honest"


def test_a_flood_of_output_is_cut_off_by_its_limit(bench: Any, make_port: Any) -> None:
    port = make_port(limit=1 << 20)
    outcome = bench.run("while True: write('x' * 65536)", port=port)
    assert outcome.failure.limit == "output"
    assert len(port.text) < 2 << 20


def test_a_flood_of_output_that_heeds_no_interrupt_ends_the_worker(bench: Any, make_port: Any) -> None:
    port = make_port(limit=1 << 20)
    text = SAY + "flood = b'x' * 65536\nguest.interrupt = lambda reason: None\n"
    text += "payload = encode(m.Emit('output', 'x' * 65536))\nwhile True: frame(payload)"
    outcome = bench.run(text, port=port)
    assert outcome.error is not None
    assert outcome.error.code == "output"
    assert len(port.text) < 2 << 20


def test_an_answer_in_endless_parts_is_cut_off(bench: Any) -> None:
    text = SAY + "big = m.Emit('output', 'x' * 4_000_000)\nwhile True: said(big, last=False)"
    outcome = bench.run(text)
    assert isinstance(outcome.error, EngineCrashed)
    assert "one answer takes more than" in outcome.error.message


def test_descriptors_a_worker_sends_along_are_not_taken(bench: Any) -> None:
    import os

    before = len(os.listdir("/proc/self/fd"))
    text = SAY + (
        "import socket\ns = socket.socket(fileno=os.dup(port._data))\n"
        "payload = encode(Said(run, [m.Call(1, 'a', 'b')]))\n"
        "socket.send_fds(s, [struct.pack('!I', len(payload)) + payload], [0, 1, 2])\nport._hear()\n"
        "guest.calls = 1\nresult = 'sent'"
    )
    assert bench.run(text).value == "sent"
    assert len(os.listdir("/proc/self/fd")) <= before + 10


def test_an_honest_frame_is_what_these_tests_take_it_for(bench: Any) -> None:
    """The helpers say what a worker would say, so the lies above fail for what they say and not for how."""
    outcome = bench.run(SAY + "said(m.Call(1, 'a', 'b')); port._hear(); guest.calls = 1; result = 'fine'")
    assert outcome.value == "fine"
    assert struct.pack("!I", len(encode(1))) == b"\0\0\0\1"


@pytest.mark.parametrize("data", ["{}", "{'x': 'x' * 4000}", "{'x': [{}] * 1000}"], ids=["empty", "long", "many parts"])
def test_a_flood_of_warnings_counts_as_output(data: str, rss: Any) -> None:
    """They are kept for the result and told to observers, so that without an end the host would fill up."""
    import python_spells

    from llmspell import Host, OutputExceeded, Policy, Source
    from llmspell.plugin import hookimpl

    class Plugin:
        @hookimpl
        def llmspell_engines(self) -> Any:
            yield python_spells.spec()

    before = rss()
    text = (
        SAY + f"warning = struct.pack('!I', len(encode(m.Emit('warning', {data})))) + encode(m.Emit('warning', {data}))"
    )
    with Host(plugins=[], config={}) as host:
        host.register(Plugin(), "python")
        policy = Policy.standard().narrow(output="256KB")
        with host.session(policy) as session, pytest.raises(OutputExceeded) as caught:
            session.run(Source(text + "\nwhile True: raw(warning * 10)", language="python"))
    assert 0 < len(caught.value.result.warnings) <= 1024
    assert rss() - before < 64 << 20
