"""The tools that tell of the machine, which a sandboxed spell has no business to know."""

from __future__ import annotations

import os
import platform
import time
from typing import Annotated, Any, Literal

from pydantic import Field
from typing_extensions import TypedDict

from llmspell.plugin import Bridge, Call
from llmspell_toolbox.declare import tool

_PARTS = ("os", "cpu", "memory", "disk", "python")


class Process(TypedDict):
    """A process: memory in bytes, ``cpu`` in per cent of one core since it started, ``started`` seconds since 1970."""

    pid: int
    name: str
    user: str | None
    status: str
    memory: int
    cpu: float
    started: float


class Processes(TypedDict):
    """Processes; ``truncated`` where there are more."""

    processes: list[Process]
    total: int
    truncated: bool


class MachineTools(Bridge):
    """Tools that tell of the machine."""

    @tool(
        category="system",
        tags=("machine", "info"),
        permissions=("machine",),
        deterministic=False,
        examples=({"description": "The processor", "parameters": {"info_type": "cpu"}},),
    )
    def get_system_info(
        self, info_type: Literal["all", "os", "cpu", "memory", "disk", "python"] = "all"
    ) -> dict[str, Any]:
        """Tell of the machine: its system, processors, memory, disk and Python. Sizes are bytes.

        Args:
            info_type: all, os, cpu, memory, disk or python.
        """
        wanted = _PARTS if info_type == "all" else (info_type,)
        return {part: _TOLD[part]() for part in wanted}

    @tool(
        category="system",
        tags=("machine", "process"),
        permissions=("machine",),
        deterministic=False,
        examples=({"description": "The largest processes", "parameters": {"sort_by": "memory", "limit": 5}},),
    )
    def process_list(
        self,
        call: Call,
        *,
        filter: str | None = None,
        sort_by: Literal["pid", "name", "memory", "cpu", "started"] = "pid",
        limit: Annotated[int, Field(ge=1, le=5000)] = 100,
    ) -> Processes:
        """List the processes of the machine, without their command lines and environments.

        Args:
            filter: A part of the name.
            sort_by: pid, name, memory, cpu or started; the last three from the largest on.
            limit: Most processes told.
        """
        found = _processes(call, filter)
        found.sort(key=lambda process: process[sort_by], reverse=sort_by in ("memory", "cpu", "started"))
        return {"processes": found[:limit], "total": len(found), "truncated": len(found) > limit}


def _processes(call: Call, part: str | None) -> list[Process]:
    import psutil

    found: list[Process] = []
    now = time.time()
    fields = ["pid", "name", "username", "status", "memory_info", "cpu_times", "create_time"]
    for process in psutil.process_iter(fields):
        call.checkpoint()
        info = process.info
        if part is not None and part.casefold() not in (info["name"] or "").casefold():
            continue
        times = info["cpu_times"]
        lived = max(now - (info["create_time"] or now), 0.001)
        found.append(
            {
                "pid": info["pid"],
                "name": info["name"] or "",
                "user": info["username"],
                "status": info["status"],
                "memory": info["memory_info"].rss if info["memory_info"] else 0,
                "cpu": round(100 * (times.user + times.system) / lived, 2) if times else 0.0,
                "started": info["create_time"] or 0.0,
            }
        )
    return found


def _os() -> dict[str, Any]:
    return {"system": platform.system(), "release": platform.release(), "machine": platform.machine()}


def _cpu() -> dict[str, Any]:
    import psutil

    return {
        "logical": psutil.cpu_count(),
        "physical": psutil.cpu_count(logical=False),
        "load": [round(load, 2) for load in psutil.getloadavg()],
    }


def _memory() -> dict[str, Any]:
    import psutil

    memory = psutil.virtual_memory()
    return {"total": memory.total, "available": memory.available, "percent": memory.percent}


def _disk() -> dict[str, Any]:
    import psutil

    usage = psutil.disk_usage(os.sep)
    return {"total": usage.total, "used": usage.used, "free": usage.free, "percent": usage.percent}


def _python() -> dict[str, Any]:
    return {"version": platform.python_version(), "implementation": platform.python_implementation()}


_TOLD = {"os": _os, "cpu": _cpu, "memory": _memory, "disk": _disk, "python": _python}
