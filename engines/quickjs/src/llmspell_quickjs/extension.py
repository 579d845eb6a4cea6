"""The extension module itself. The package around it, ``quickjs``, starts a thread when it is imported, and a process
that forks workers must not have one."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_module: Any = import_module("_quickjs")

Context: Any = _module.Context
JSException: type[Exception] = _module.JSException
FILE: str = _module.__file__
