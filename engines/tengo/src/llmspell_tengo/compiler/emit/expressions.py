"""Expressions without operators: literals, names, containers, indexing, functions' surroundings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from llmspell_tengo.compiler.emit.writer import (
    ATOM,
    CALL,
    INDEX,
    MARK_OPEN,
    NAME,
    Code,
    ExpressionTable,
    Writer,
    takes_suffix,
)
from llmspell_tengo.compiler.modules import NativeModule, Unit
from llmspell_tengo.compiler.symbols import Symbol
from llmspell_tengo.compiler.types import INT, STR, TOP, UNDEF, type_of
from llmspell_tengo.syntax import tree


def types(node: tree.Expr) -> int:
    """Return the mask of a node's types; where the analysis found none, anything."""
    return type_of(node) or TOP


def strip(node: tree.Expr) -> tree.Expr:
    """Return what stands inside any parentheses."""
    while type(node) is tree.Paren:
        node = node.inner
    return node


def last_pos(node: tree.Expr) -> int:
    """Return where the reference's last instruction for ``node`` stands, which some of its errors report."""
    while True:
        if type(node) is tree.Paren:
            node = node.inner
        elif type(node) is tree.Logical:
            node = node.right
        elif type(node) is tree.Cond:
            node = node.other
        elif type(node) is tree.Unary and node.op == "+":
            node = node.operand
        else:
            return node.pos


def runs_code(*nodes: tree.Expr) -> bool:
    """Tell whether evaluating any node may call something, and so change variables."""
    stack: list[Any] = list(nodes)
    while stack:
        node = stack.pop()
        kind = type(node)
        if kind is tree.Call or kind is tree.Import:
            return True
        stack.extend(_parts(node))
    return False


def _parts(node: Any) -> Sequence[Any]:
    kind = type(node)
    if kind is tree.Binary or kind is tree.Logical:
        return (node.left, node.right)
    if kind is tree.Index:
        return (node.base, node.index)
    if kind is tree.Paren:
        return (node.inner,)
    if kind is tree.Unary:
        return (node.operand,)
    if kind is tree.Cond:
        return (node.test, node.then, node.other)
    if kind is tree.Slice:
        return [part for part in (node.base, node.low, node.high) if part is not None]
    if kind is tree.Array:
        return list(node.items)
    if kind is tree.Map:
        return list(node.values)
    if kind is tree.Error or kind is tree.Immutable:
        return (node.value,)
    return ()


def is_stable(node: tree.Expr) -> bool:
    """Tell whether the node's text yields the same value wherever it is evaluated within one statement."""
    node = strip(node)
    kind = type(node)
    if kind is tree.Ident:
        return node.symbol is None or node.symbol.assigned == 0  # type: ignore[attr-defined]
    return kind in (tree.Int, tree.Float, tree.String, tree.Char, tree.Bool, tree.Undefined)


class ExpressionWriter(Writer):
    """Emits what yields a value.

    An expression may write statements to ``out`` before itself, unless ``inline`` forbids it. Whoever emits several
    in a row uses :meth:`sequence`, which keeps their order of evaluation.
    """

    def text(self, node: tree.Expr) -> str:
        """Emit a value for a place where any expression may stand."""
        return self.value(node)[0]

    def value(self, node: tree.Expr) -> Code:
        """Emit a value that may be kept: a growing array then has more than one owner."""
        if type(node) is tree.Ident and node.symbol is not None and node.symbol.grows:
            return f"{self.helper('share')}({node.symbol.lua})", CALL
        return self.expr(node)

    def tight(self, node: tree.Expr, level: int) -> str:
        """Emit a value that is used at once, in parentheses if it binds less than ``level``."""
        text, binds = self.expr(node)
        return text if binds >= level else f"({text})"

    def suffixed(self, node: tree.Expr) -> str:
        """Emit a value that an index or a call follows."""
        text, level = self.expr(node)
        return text if takes_suffix(level) else f"({text})"

    def may_change(self, node: tree.Expr, *later: tree.Expr) -> bool:
        """Tell whether ``node`` is a variable that evaluating ``later`` may assign.

        Lua reads a local variable where it is used, which can be after its right neighbour was evaluated.
        """
        node = strip(node)
        while type(node) is tree.Unary and node.op == "+":
            node = strip(node.operand)
        if type(node) is not tree.Ident or node.symbol is None:
            return False
        symbol = node.symbol
        changes = symbol.captured and symbol.assigned > 0 and symbol.owner is self.frame.function
        return changes and runs_code(*later)

    def sequence(self, nodes: Sequence[tree.Expr], emit: Callable[[tree.Expr], str]) -> list[str]:
        """Emit several values that are evaluated from left to right."""
        texts: list[str] = []
        for index, node in enumerate(nodes):
            before = len(self.out)
            text = emit(node)
            if len(self.out) > before and index:
                self.spill(nodes, texts, index, before)
            texts.append(text)
        return texts

    def spill(self, nodes: Sequence[tree.Expr], texts: list[str], count: int, before: int) -> None:
        """Keep the first ``count`` values in variables, since statements were written after their evaluation."""
        late = self.out[before:]
        del self.out[before:]
        for index in range(count):
            if not is_stable(nodes[index]):
                texts[index] = self.temporary(texts[index])
        self.out.extend(late)

    def thunk(self, node: tree.Expr) -> Code:
        """Emit a value whose statements must not stand before it: as a function called on the spot."""
        outer, self.out = self.out, []
        inline, self.inline = self.inline, 0
        self.open_block()
        text = self.text(node)
        body = " ".join([*self.out, f"return {text}"])
        self.close_block()
        self.out, self.inline = outer, inline
        return f"(function() {body} end)()", CALL

    def counted(self, code: Code, pos: int) -> Code:
        """Count an allocation, in the mode that counts them."""
        if not self.options.count_allocs:
            return code
        return f"{self.helper('allocated')}{self.mark(pos)}({code[0]})", CALL

    # Literals and names ---------------------------------------------------------------------------------

    def ident(self, node: tree.Ident) -> Code:
        symbol = node.symbol
        if symbol is None:
            return self.helper(f"builtin_{node.name}"), NAME
        if symbol.raw:
            return self.wrapped_function(symbol), ATOM
        return symbol.lua, NAME

    def wrapped_function(self, symbol: Symbol) -> str:
        """Give a raw function the hidden argument count, for use as a value."""
        assert symbol.literal is not None
        names = [f"a{index}" for index in range(len(symbol.literal.params))]
        check = f"if n~={len(names)} then {self.helper('bad_arity')}(n,{len(names)}) end"
        params = ",".join(["n", *names])
        return f"function({params}) {check} return {symbol.lua}({','.join(names)}) end"

    def integer(self, node: tree.Int) -> Code:
        return str(node.value), ATOM

    def floating(self, node: tree.Float) -> Code:
        return repr(node.value), ATOM

    def boolean(self, node: tree.Bool) -> Code:
        return "true" if node.value else "false", ATOM

    def char(self, node: tree.Char) -> Code:
        return self.helper(f"char:{node.value}"), NAME

    def string(self, node: tree.String) -> Code:
        return self.quote(node.value), ATOM

    def undefined(self, _: tree.Undefined) -> Code:
        return "nil", ATOM

    def paren(self, node: tree.Paren) -> Code:
        return self.expr(node.inner)

    # Containers -----------------------------------------------------------------------------------------

    def array(self, node: tree.Array) -> Code:
        texts = self.sequence(node.items, self.text)
        length = f"[{self.helper('L')}]={len(texts)}"
        body = f"[0]={texts[0]},{','.join([*texts[1:], length])}" if texts else length
        code = f"{self.helper('setmetatable')}({{{body}}},{self.helper('ARR')})", CALL
        return self.counted(code, node.pos)

    def map(self, node: tree.Map) -> Code:
        texts = self.sequence(node.values, self.text)
        fields, doubtful = [], []
        for key, value, text in zip(node.keys, node.values, texts, strict=True):
            name = key.decode() if self.is_field(key) else f"[{self.quote(key)}]"
            fields.append(f"{name}={text}")
            if types(value) & UNDEF:
                doubtful.append(self.quote(key))
        text = f"{self.helper('setmetatable')}({{{','.join(fields)}}},{self.helper('MAP')})"
        if doubtful:
            text = f"{self.helper('keep_keys')}({','.join([text, *doubtful])})"
        return self.counted((text, CALL), node.pos)

    def error(self, node: tree.Error) -> Code:
        return self.counted((f"{self.helper('error_value')}({self.text(node.value)})", CALL), last_pos(node.value))

    def immutable(self, node: tree.Immutable) -> Code:
        text = self.text(node.value)
        if self.options.count_allocs:
            return f"{self.helper('immutable_counted')}{self.mark(last_pos(node.value))}({text})", CALL
        return f"{self.helper('immutable')}({text})", CALL

    def import_(self, node: tree.Import) -> Code:
        module = node.module
        if isinstance(module, Unit):
            return f"M[{module.index}]{self.mark(node.pos)}()", CALL
        kind = "native_module" if isinstance(module, NativeModule) else "host_module"
        return f"{self.helper(kind)}{self.mark(node.pos)}({self.quote(module.name.encode())})", CALL

    # Indexing -------------------------------------------------------------------------------------------

    def index(self, node: tree.Index) -> Code:
        base, index = node.base, node.index
        if node.dotted:
            member = self.native_member(node)
            if member:
                return member, NAME
        pos = last_pos(index)
        if self.optimise and not node.dotted and type_of(base) == STR:
            texts = self.sequence((base, index), lambda part: self.expr(part)[0])
            return f"{self.helper('char_at')}{self.mark(pos)}({','.join(texts)})", CALL
        if node.dotted:
            assert isinstance(index, tree.String)
            text = self.suffixed(base)
            if self.is_field(index.value):
                return f"{text}{self.mark(pos)}.{index.text}", INDEX
            return f"{text}{self.mark(pos)}[{self.quote(index.value)}]", INDEX
        base_text, index_text = self.sequence((base, index), self._index_part(base, index))
        return f"{base_text}{self.mark(pos)}[{index_text}]", INDEX

    def _index_part(self, base: tree.Expr, index: tree.Expr) -> Callable[[tree.Expr], str]:
        shared = runs_code(index)

        def emit(part: tree.Expr) -> str:
            if part is not base:
                return self.expr(part)[0]
            if shared:
                text, level = self.value(part)
                if self.may_change(part, index):
                    return f"{self.helper('same')}({text})"
                return text if takes_suffix(level) else f"({text})"
            return self.suffixed(part)

        return emit

    def native_member(self, node: tree.Index) -> str:
        """Name a member of a runtime module directly, where the module cannot be anything else."""
        base = node.base
        if not self.optimise or type(base) is not tree.Ident or base.symbol is None or base.symbol.assigned:
            return ""
        imported = base.symbol.module
        if imported is None or not isinstance(imported.module, NativeModule):
            return ""
        assert isinstance(node.index, tree.String)
        name = node.index.value
        return self.helper(f"{imported.module.name}.{name.decode()}") if self.is_field(name) else ""

    def slice(self, node: tree.Slice) -> Code:
        nodes = [part for part in (node.base, node.low, node.high) if part is not None]
        texts = iter(self.sequence(nodes, lambda part: self.expr(part)[0]))
        base = next(texts)
        low = next(texts) if node.low is not None else "nil"
        high = next(texts) if node.high is not None else "nil"
        pos = last_pos(node.high) if node.high is not None else node.pos
        if self.optimise and type_of(node.base) == STR:
            bounds = [part for part in (node.low, node.high) if part is not None]
            if base.isidentifier() and all(type_of(bound) == INT for bound in bounds):
                low = "0" if node.low is None else low
                high = f"#{base}" if node.high is None else high
                return f"{self.helper('slice_ints')}{self.mark(pos)}({base},{low},{high})", CALL
            return f"{self.helper('slice_text')}{self.mark(pos)}({base},{low},{high})", CALL
        return self.counted((f"{self.helper('slice')}{self.mark(pos)}({base},{low},{high})", CALL), pos)

    def settle(self, text: str, pos: int, tag: str) -> str:
        """Make a value's last token stand on a line of its place, since Lua stores on the line it ends on."""
        return f"({text}{self.mark(pos, tag)})" if MARK_OPEN in text else text

    EXPRESSIONS: ClassVar[ExpressionTable] = {
        tree.Ident: ident,
        tree.Int: integer,
        tree.Float: floating,
        tree.Bool: boolean,
        tree.Char: char,
        tree.String: string,
        tree.Undefined: undefined,
        tree.Paren: paren,
        tree.Array: array,
        tree.Map: map,
        tree.Error: error,
        tree.Immutable: immutable,
        tree.Import: import_,
        tree.Index: index,
        tree.Slice: slice,
    }
