"""Random Tengo programs: mostly well-typed, so that they get somewhere, with a mistake now and then."""

from __future__ import annotations

import random

KINDS = ("int", "float", "str", "char", "bool", "arr", "map")
INTS = ("0", "1", "2", "3", "7", "10", "-1", "255", "9223372036854775807", "-9223372036854775807", "4294967296")
STRINGS = ('""', '"a"', '"abc"', '"x y"', '"7"', '"é€"', '"key"')
KEYS = ("a", "b", "key", "end", "self", "n")


class Program:
    """Writes one program.

    Args:
        seed: The same seed, the same program.
        mistakes: How often an expression has another type than fits.
    """

    def __init__(self, seed: int, mistakes: float = 0.002) -> None:
        self.random = random.Random(seed)
        self.mistakes = mistakes
        self.serial = 0
        self.scopes: list[dict[str, str]] = [{}]
        self.fixed: set[str] = set()
        self.loops = 0
        self.depth = 0
        self.returns: list[str] = []

    def text(self) -> str:
        lines: list[str] = []
        for _ in range(self.random.randint(4, 14)):
            lines += self.statement()
        return "\n".join(lines) + "\n"

    # Names

    def fresh(self, stem: str = "v") -> str:
        self.serial += 1
        return f"{stem}{self.serial}"

    def names(self, kind: str) -> list[str]:
        seen: dict[str, str] = {}
        for scope in self.scopes:
            seen.update(scope)
        return [name for name, its in seen.items() if its == kind]

    def pick(self, *choices: str) -> str:
        return self.random.choice(choices)

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    # Statements

    def block(self, *, loop: bool = False) -> list[str]:
        self.scopes.append({})
        self.depth += 1
        lines: list[str] = []
        for _ in range(self.random.randint(1, 4)):
            lines += self.statement()
        if loop and self.chance(0.15):
            lines += [f"if ({self.expr('bool')}) {{ {self.pick('break', 'continue')} }}"]
            lines += self.statement()
        self.depth -= 1
        self.scopes.pop()
        return ["  " + line for line in lines]

    def statement(self) -> list[str]:
        choices = ["define"] * 4 + ["assign"] * 5 + ["append"] * 2 + ["put"] * 2 + ["call"]
        if self.depth < 3:
            choices += ["if"] * 2 + ["function"] * 2
            if self.loops < 2:
                choices += ["for"] * 3 + ["forin"] * 2
        if self.returns and self.chance(0.2):
            return [f"if ({self.expr('bool')}) {{ return {self.expr(self.returns[-1])} }}"]
        return getattr(self, f"a_{self.pick(*choices)}")()

    def a_define(self) -> list[str]:
        kind = self.pick(*KINDS)
        name = self.fresh()
        line = f"{name} := {self.expr(kind)}"
        self.scopes[-1][name] = kind
        return [line]

    def a_assign(self) -> list[str]:
        kind = self.pick("int", "int", "float", "str", "arr", "map", "bool", "char")
        names = [name for name in self.names(kind) if name not in self.fixed]
        if not names:
            return self.a_define()
        name = self.pick(*names)
        if kind == "int" and self.chance(0.5):
            ops = ("+=", "-=", "*=", "|=", "^=", "&=", "&^=", "<<=", ">>=")
            return [self.pick(f"{name}++", f"{name}--", f"{name} {self.pick(*ops)} {self.expr('int')}")]
        if kind == "str" and self.chance(0.5):
            return [f"{name} += {self.expr(self.pick('str', 'int', 'char', 'arr'))}", *self.trim(name)]
        if kind == "float" and self.chance(0.4):
            return [f"{name} {self.pick('+=', '-=', '*=', '/=')} {self.expr(self.pick('float', 'int'))}"]
        value = self.expr("any" if self.chance(0.03) else kind)
        return [f"{name} = {value}", *(self.trim(name) if kind in ("str", "arr") else [])]

    def trim(self, name: str) -> list[str]:
        """Keep what doubles in a loop small."""
        return [f"if len({name}) > 40 {{ {name} = {name}[:7] }}"]

    def a_append(self) -> list[str]:
        names = self.names("arr")
        if not names:
            return self.a_define()
        name = self.pick(*names)
        target = name if self.chance(0.8) else self.pick(*names)
        more = [self.expr("any") for _ in range(self.random.choice((1, 1, 1, 2)))]
        return [f"{target} = append({name}, {', '.join(more)})", *self.trim(target)]

    def a_put(self) -> list[str]:
        if self.chance(0.5) and self.names("map"):
            name = self.pick(*self.names("map"))
            if self.chance(0.15):
                return [f'delete({name}, "{self.pick(*KEYS)}")']
            target = f"{name}.{self.pick('a', 'b', 'key', 'n')}" if self.chance(0.6) else f"{name}[{self.expr('str')}]"
            op = "=" if self.chance(0.9) else "+="
            return [f"{target} {op} {self.expr(self.pick('int', 'str', 'any'))}"]
        if self.names("arr"):
            name = self.pick(*self.names("arr"))
            index = self.pick("0", "1", f"len({name})-1", self.expr("int"))
            return (
                [f"if len({name}) > 2 {{ {name}[{index}] = {self.expr('any')} }}"]
                if index in ("0", "1")
                else [f"if ({self.expr('int')}) < 0 {{ {name}[{index}] = {self.expr('any')} }}"]
            )
        return self.a_define()

    def a_call(self) -> list[str]:
        functions = [name for scope in self.scopes for name, kind in scope.items() if kind.startswith("fn")]
        if not functions:
            return self.a_define()
        return [self.call(self.pick(*functions))]

    def a_if(self) -> list[str]:
        init = ""
        self.scopes.append({})
        if self.chance(0.2):
            name = self.fresh()
            init = f"{name} := {self.expr('int')}; "
            self.scopes[-1][name] = "int"
        lines = [f"if {init}({self.expr(self.pick('bool', 'bool', 'any'))}) {{", *self.block()]
        if self.chance(0.4):
            lines += [f"}} else if ({self.expr('bool')}) {{", *self.block()]
        if self.chance(0.4):
            lines += ["} else {", *self.block()]
        self.scopes.pop()
        return [*lines, "}"]

    def a_for(self) -> list[str]:
        name = self.fresh("i")
        form = self.random.random()
        self.scopes.append({name: "int"})
        fixed = self.chance(0.8)
        if fixed:
            self.fixed.add(name)
        self.loops += 1
        limit = self.pick("3", "5", "8", "4.5")
        if form < 0.5:
            head = f"for {name} := {self.pick('0', '1', '-2')}; {name} {self.pick('<', '<=')} {limit}; {name}++ {{"
        elif form < 0.65:
            head = f"for {name} := 6; {name} {self.pick('>', '>=')} {self.pick('0', '1')}; {name}-- {{"
        elif form < 0.8:
            head = f"for {name} := 0; {name} < {self.pick('9', '20')}; {name} += {self.pick('2', '3')} {{"
        else:
            arrays = self.names("arr")
            over = self.pick(*arrays) if arrays else "[1, 2]"
            head = f"for {name} := 0; {name} < len({over}); {name}++ {{"
        body = self.block(loop=True)
        guard = self.fresh("g")
        self.loops -= 1
        self.scopes.pop()
        # a loop whose counter may be changed, or whose array grows, must end all the same
        return [f"{guard} := 0", head, f"  {guard}++", f"  if {guard} > 25 {{ break }}", *body, "}"]

    def a_forin(self) -> list[str]:
        kind = self.pick("arr", "map", "str", "arr")
        iterable = self.expr(kind)
        key, value = self.fresh("k"), self.fresh("x")
        self.loops += 1
        self.scopes.append({value: "any", key: "str" if kind == "map" else "int"})
        if kind == "str":
            self.scopes[-1][value] = "char"
        head = f"for {key}, {value} in ({iterable}) {{" if self.chance(0.6) else f"for {value} in ({iterable}) {{"
        if head.startswith(f"for {value}"):
            del self.scopes[-1][key]
        body = self.block(loop=True)
        self.loops -= 1
        self.scopes.pop()
        return [head, *body, "}"]

    def a_function(self) -> list[str]:
        kind = self.pick(*KINDS)
        name = self.fresh("f")
        count = self.random.randint(0, 3)
        variadic = self.chance(0.15)
        self.scopes.append({})
        params = [self.fresh("p") for _ in range(count)]
        for param in params:
            self.scopes[-1][param] = "any" if self.chance(0.3) else "int"
        if variadic:
            rest = self.fresh("p")
            self.scopes[-1][rest] = "arr"
        # loops in a function count anew, but functions are not called from inside themselves
        loops, self.loops = self.loops, max(self.loops, 1)
        self.returns.append(kind)
        body = self.block()
        self.returns.pop()
        self.loops = loops
        head = ", ".join([*params, *([f"...{rest}"] if variadic else [])])
        result = self.expr(kind)
        self.scopes.pop()
        if self.depth == 0 or self.chance(0.5):
            self.scopes[-1][name] = f"fn:{kind}:{count}:{int(variadic)}"
        return [f"{name} := func({head}) {{", *body, f"  return {result}", "}"]

    def call(self, name: str) -> str:
        kind = next(scope[name] for scope in reversed(self.scopes) if name in scope)
        _, _, count, variadic = kind.split(":")
        args = [self.expr(self.pick("int", "any")) for _ in range(int(count))]
        if variadic == "1" and self.chance(0.6):
            args += [self.expr("any") for _ in range(self.random.randint(0, 2))]
            if self.chance(0.3):
                args.append(f"{self.expr('arr')}...")
        if self.chance(self.mistakes):
            args = args[1:] if args else ["1"]
        return f"{name}({', '.join(args)})"

    # Expressions

    def expr(self, kind: str, depth: int = 0) -> str:
        if kind == "any" or self.chance(self.mistakes):
            kind = self.pick(*KINDS, "undefined")
            if self.names("any") and self.chance(0.3):
                return self.pick(*self.names("any"))
        if depth > 2 or self.chance(0.35):
            return self.leaf(kind)
        made = getattr(self, f"of_{kind}")(depth + 1)
        return f"({made})" if self.chance(0.5) else made

    def leaf(self, kind: str) -> str:
        names = self.names(kind)
        if names and self.chance(0.7):
            return self.pick(*names)
        if kind == "int":
            return self.pick(*INTS) if self.chance(0.7) else str(self.random.randint(0, 60))
        if kind == "float":
            return self.pick("0.5", "1.0", "2.25", "1e10", "0.1")
        if kind == "str":
            return self.pick(*STRINGS)
        if kind == "char":
            return self.pick("'a'", "'Z'", "'é'", "'0'")
        if kind == "bool":
            return self.pick("true", "false")
        if kind == "arr":
            return self.pick("[]", "[1, 2, 3]", '["a", 1.5, [2]]', "[1, 2, 3, 4, 5, 6]")
        if kind == "map":
            return self.pick("{}", "{a: 1}", '{key: "v", n: [1]}', "{a: {b: 2}, end: 3}")
        return "undefined"

    def results(self, kind: str) -> list[str]:
        return [name for scope in self.scopes for name, its in scope.items() if its.startswith(f"fn:{kind}:")]

    def common(self, kind: str, depth: int) -> str | None:
        if self.results(kind) and self.chance(0.15):
            return f"{self.call(self.pick(*self.results(kind)))}"
        if self.chance(0.08):
            return f"{self.tight('bool', depth)} ? {self.expr(kind, depth)} : {self.expr(kind, depth)}"
        if self.chance(0.05):
            op = self.pick("&&", "||")
            return f"{self.expr(kind, depth)} {op} {self.expr(kind, depth)}"
        if self.chance(0.04):
            return f"func() {{ return {self.expr(kind, depth)} }}()"
        return None

    def tight(self, kind: str, depth: int) -> str:
        return f"({self.expr(kind, depth)})"

    def of_undefined(self, depth: int) -> str:
        return "undefined"

    def of_int(self, depth: int) -> str:
        found = self.common("int", depth)
        if found:
            return found
        form = self.random.random()
        if form < 0.5:
            op = self.pick("+", "-", "*", "&", "|", "^", "&^", "<<", ">>", "+", "-")
            return f"{self.tight('int', depth)} {op} {self.tight('int', depth)}"
        if form < 0.65:
            divisor = self.pick("2", "3", "7", "-4") if self.chance(0.9) else self.tight("int", depth)
            return f"{self.tight('int', depth)} {self.pick('/', '%')} {divisor}"
        if form < 0.75:
            return f"{self.pick('-', '^')}{self.tight('int', depth)}"
        if form < 0.9:
            return f"len({self.expr(self.pick('arr', 'str', 'map'), depth)})"
        return f"int({self.expr(self.pick('char', 'bool', 'int'), depth)})"

    def of_float(self, depth: int) -> str:
        found = self.common("float", depth)
        if found:
            return found
        if self.chance(0.15):
            return f"-{self.tight('float', depth)}"
        left, right = ("float", self.pick("int", "float"))
        if self.chance(0.4):
            left, right = right, left
        return f"{self.tight(left, depth)} {self.pick('+', '-', '*', '/')} {self.tight(right, depth)}"

    def of_str(self, depth: int) -> str:
        found = self.common("str", depth)
        if found:
            return found
        form = self.random.random()
        if form < 0.6:
            return f"{self.tight('str', depth)} + {self.tight(self.pick('str', 'int', 'any', 'char', 'float'), depth)}"
        if form < 0.75:
            low = self.pick("", "0", "1")
            return f"{self.tight('str', depth)}[{low}:{self.pick('', '2', '4')}]"
        if form < 0.9:
            return f"string({self.expr(self.pick('int', 'arr', 'map', 'float'), depth)})"
        return f"type_name({self.expr('any', depth)})"

    def of_char(self, depth: int) -> str:
        return self.common("char", depth) or (
            f"{self.tight('char', depth)} {self.pick('+', '-')} {self.pick('1', '2', '32')}"
        )

    def of_bool(self, depth: int) -> str:
        found = self.common("bool", depth)
        if found:
            return found
        form = self.random.random()
        if form < 0.45:
            kind = self.pick("int", "float", "str", "char")
            other = self.pick("int", "float") if kind in ("int", "float") else kind
            return f"{self.tight(kind, depth)} {self.pick('<', '<=', '>', '>=')} {self.tight(other, depth)}"
        if form < 0.7:
            kind = self.pick("int", "str", "arr", "map", "any", "char")
            return f"{self.tight(kind, depth)} {self.pick('==', '!=')} {self.tight(self.pick(kind, 'any'), depth)}"
        if form < 0.85:
            return f"!{self.tight(self.pick('bool', 'any'), depth)}"
        test = self.pick("int", "string", "array", "map", "undefined", "error", "float", "char", "immutable_array")
        return f"is_{test}({self.expr('any', depth)})"

    def of_arr(self, depth: int) -> str:
        found = self.common("arr", depth)
        if found:
            return found
        form = self.random.random()
        if form < 0.4:
            return f"[{', '.join(self.expr('any', depth) for _ in range(self.random.randint(0, 4)))}]"
        if form < 0.55:
            return f"append({self.expr('arr', depth)}, {self.expr('any', depth)})"
        if form < 0.7:
            return f"{self.tight('arr', depth)}[{self.pick('', '0', '1')}:{self.pick('', '1', '2')}]"
        if form < 0.8:
            return f"copy({self.expr('arr', depth)})"
        return f"{self.tight('arr', depth)} + {self.tight('arr', depth)}"

    def of_map(self, depth: int) -> str:
        found = self.common("map", depth)
        if found:
            return found
        keys = self.random.sample(KEYS, self.random.randint(0, 3))
        return "{" + ", ".join(f"{key}: {self.expr('any', depth)}" for key in keys) + "}"
