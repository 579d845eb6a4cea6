"""Random programs that ask a host and run tasks: wherever they wait, others may change what they see."""

from __future__ import annotations

from tengo_fuzz_programs import Program

PRELUDE = ['kit := import("kit")', 'async := import("async")']


class TaskProgram(Program):
    def text(self) -> str:
        lines = [*PRELUDE]
        for _ in range(self.random.randint(4, 10)):
            lines += self.statement()
        # a task cannot be handed out
        lines += [f"{name} = 0" for name, kind in self.scopes[0].items() if kind == "task"]
        return "\n".join(lines) + "\n"

    def statement(self) -> list[str]:
        if self.chance(0.3):
            return getattr(self, f"a_{self.pick('wait', 'wait', 'spawn', 'spawn', 'await', 'all')}")()
        return super().statement()

    def body(self, kind: str) -> list[str]:
        """Write the inside of a function without parameters."""
        loops, self.loops = self.loops, max(self.loops, 1)
        self.scopes.append({})
        self.returns.append(kind)
        lines = [*self.block(), f"  return {self.expr(kind)}"]
        self.returns.pop()
        self.scopes.pop()
        self.loops = loops
        return lines

    def a_wait(self) -> list[str]:
        return [self.pick("async.yield()", "async.sleep(0)")]

    def a_spawn(self) -> list[str]:
        if self.depth > 2:
            return self.a_wait()
        lines = ["async.spawn(func() {", *self.body("any"), "})"]
        if self.chance(0.6):
            name = self.fresh("t")
            lines[0] = f"{name} := {lines[0]}"
            self.scopes[-1][name] = "task"
        return lines

    def a_await(self) -> list[str]:
        tasks = self.names("task")
        if not tasks:
            return self.a_spawn()
        name = self.fresh()
        line = f"{name} := async.await({self.pick(*tasks)})"
        self.scopes[-1][name] = "any"
        return [line]

    def a_all(self) -> list[str]:
        if self.depth > 1:
            return self.a_wait()
        name = self.fresh()
        lines = [f"{name} := async.all(["]
        for at in range(self.random.randint(1, 3)):
            lines += [f"{', ' if at else ''}func() {{", *self.body("any"), "}"]
        self.scopes[-1][name] = "any"
        # statements end at line ends, list items do not
        return [
            lines[0] + lines[1],
            *self._joined(lines[2:]),
        ]

    @staticmethod
    def _joined(lines: list[str]) -> list[str]:
        joined: list[str] = []
        for line in lines:
            if line.startswith(", "):
                joined[-1] += line
            else:
                joined.append(line)
        joined[-1] += "])"
        return joined

    def common(self, kind: str, depth: int) -> str | None:
        if kind != "char" and self.chance(0.12):
            return f"kit.echo({self.expr(kind, depth)})"
        return super().common(kind, depth)
