"""Output reaches its descriptor at once, whole, and says so when it cannot."""

import os
import threading

import pytest

from llmspell.cli.streams import ReaderGone, Stream


def test_a_text_larger_than_a_pipe_is_written_whole() -> None:
    reading, writing = os.pipe()
    text = "é" * 500_000
    got: list[bytes] = []

    def read() -> None:
        while chunk := os.read(reading, 65536):
            got.append(chunk)

    reader = threading.Thread(target=read)
    reader.start()
    with os.fdopen(writing, "w") as file:
        os.set_blocking(writing, False)
        Stream(file).write(text)
    reader.join()
    os.close(reading)
    assert b"".join(got).decode() == text


def test_a_reader_that_is_gone_is_told() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as file, pytest.raises(ReaderGone):
        Stream(file).write("x")


def test_half_a_surrogate_pair_is_escaped() -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as file:
        Stream(file).write("a\ud800b")
    with os.fdopen(reading, "rb") as file:
        assert file.read() == b"a\\ud800b"


def test_a_line_begins_on_a_line_of_its_own() -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as file:
        stream = Stream(file)
        stream.write("no newline")
        stream.line("next")
        stream.line("last")
    with os.fdopen(reading) as file:
        assert file.read() == "no newline\nnext\nlast\n"


def test_a_process_without_standard_output_writes_nothing() -> None:
    stream = Stream(None)
    stream.write("x")
    assert not stream.is_terminal
