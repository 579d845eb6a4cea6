"""Operators: native Lua where the types allow, metamethods where they are unknown, helpers where Lua differs."""

from __future__ import annotations

from typing import Any, ClassVar

from llmspell_tengo.compiler.emit.expressions import ExpressionWriter, last_pos, strip, types
from llmspell_tengo.compiler.emit.writer import (
    AND,
    ATOM,
    BIT_AND,
    BIT_OR,
    BIT_XOR,
    CALL,
    COMPARE,
    CONCAT,
    INDEX,
    MARK_OPEN,
    NAME,
    OR,
    PREFIX,
    PRODUCT,
    SHIFT,
    SUM,
    Code,
    ExpressionTable,
    takes_suffix,
)
from llmspell_tengo.compiler.types import ARR, BOOL, FLOAT, FUNC, INT, NUM, STR, UNDEF, type_of
from llmspell_tengo.syntax import tree

_HELPERS = {
    "/": "div",
    "%": "rem",
    "&": "band",
    "|": "bor",
    "^": "bxor",
    "&^": "bclear",
    "<<": "shl",
    ">>": "shr",
}
_NATIVE = {"+": ("+", SUM), "-": ("-", SUM), "*": ("*", PRODUCT)}
_BITS = {"&": ("&", BIT_AND), "|": ("|", BIT_OR), "^": ("~", BIT_XOR)}
_COMPARISONS = frozenset({"<", "<=", ">", ">="})
_CONCAT_RUN = 40
"""Parts of one native concatenation; it is right-associative, so Lua's compiler nests with each."""

_CHAIN = 50
"""Helpers' calls that a chain of operators nests in each other."""


class OperatorWriter(ExpressionWriter):
    # Truth ----------------------------------------------------------------------------------------------

    def truth(self, node: tree.Expr) -> Code:
        """Emit a condition: any Lua value that is true in Lua when ``node`` is truthy in Tengo."""
        node = strip(node)
        kind = type(node)
        if kind is tree.Logical:
            return self._truth_chain(node)  # type: ignore[arg-type]
        if kind is tree.Unary and node.op == "!":  # type: ignore[attr-defined]
            return self._not(node.operand)  # type: ignore[attr-defined]
        mask = types(node)
        text, level = self.expr(node)
        if not self.optimise:
            return f"{self.helper('truthy')}({text})", CALL
        if not mask & ~(BOOL | FUNC | UNDEF):
            return text, level
        if mask == INT:
            return f"{text if level > COMPARE and level != INDEX else f'({text})'}~=0", COMPARE
        if mask == STR:
            return f'{text if level > COMPARE and level != INDEX else f"({text})"}~=""', COMPARE
        if mask == ARR and takes_suffix(level):
            return f"{text}[{self.helper('L')}]>0", COMPARE
        if type(node) is not tree.Ident and mask & BOOL and not self.inline:
            text = self.temporary(text)
        if text.isidentifier():
            return f"({text}==true or {text} and {self.helper('truthy')}({text}))", NAME
        return f"{self.helper('truthy')}({text})", CALL

    def _not(self, operand: tree.Expr) -> Code:
        text, level = self.truth(operand)
        return f"not {text}" if level >= PREFIX else f"not ({text})", PREFIX

    def _truth_chain(self, node: tree.Logical) -> Code:
        spine = [node]
        left = node.left
        while type(left) is tree.Logical:
            spine.append(left)
            left = left.left
        text, level = self.truth(left)
        for link in reversed(spine):
            word, strength = ("and", AND) if link.op == "&&" else ("or", OR)
            if level < strength:
                text = f"({text})"
            self.inline += 1
            right, right_level = self.truth(link.right)
            self.inline -= 1
            if right_level <= strength:
                right = f"({right})"
            text, level = f"{text} {word} {right}", strength
        return text, level

    # Logic that yields an operand -----------------------------------------------------------------------

    def logical(self, node: tree.Logical) -> Code:
        spine = [node]
        left = node.left
        while type(left) is tree.Logical:
            spine.append(left)
            left = left.left
        if any(self._needs_statements(link) for link in spine):
            return self._logical_statements(spine, left)
        text, level = self.value(left)
        for link in reversed(spine):
            word, strength = ("and", AND) if link.op == "&&" else ("or", OR)
            if level < strength:
                text = f"({text})"
            self.inline += 1
            right, right_level = self.value(link.right)
            self.inline -= 1
            text = f"{text} {word} {right if right_level > strength else f'({right})'}"
            level = strength
        return text, level

    def _needs_statements(self, link: tree.Logical) -> bool:
        """Tell whether Lua's own ``and``/``or`` would choose another operand than Tengo does."""
        return not self.optimise or bool(types(link.left) & ~(BOOL | UNDEF | FUNC))

    def _logical_statements(self, spine: list[tree.Logical], left: tree.Expr) -> Code:
        if self.inline:
            return self.thunk(spine[0])
        name = self.temporary(self.text(left))
        for link in reversed(spine):
            test = f"{self.helper('truthy')}({name})"
            self.out.append(f"if {test if link.op == '&&' else f'not {test}'} then")
            self.open_block()
            text = self.text(link.right)
            self.out.append(f"{name}={text} end")
            self.close_block()
        return name, NAME

    def choice(self, node: tree.Cond) -> Code:
        then, other = node.then, node.other
        if self.optimise and not types(then) & (BOOL | UNDEF):
            test, level = self.truth(node.test)
            self.inline += 1
            then_text, then_level = self.value(then)
            other_text, other_level = self.value(other)
            self.inline -= 1
            test = test if level > AND else f"({test})"
            then_text = then_text if then_level > AND else f"({then_text})"
            other_text = other_text if other_level > OR else f"({other_text})"
            return f"{test} and {then_text} or {other_text}", OR
        if self.inline:
            return self.thunk(node)
        name = self.fresh()
        self.frame.live += 1
        self.out.append(f"local {name}")
        self.branches(node, lambda branch: self.out.append(f"{name}={self.text(branch)}"))
        return name, NAME

    def branches(self, node: tree.Cond, finish: Any) -> None:
        """Write ``node`` as an if statement whose branches end as ``finish`` says."""
        test = self.truth(node.test)[0]
        self.out.append(f"if {test} then")
        for branch, word in ((node.then, "else"), (node.other, "end")):
            self.open_block()
            finish(branch)
            self.close_block()
            self.out.append(word)

    # Unary ----------------------------------------------------------------------------------------------

    def unary(self, node: tree.Unary) -> Code:
        if node.op == "!":
            return self._not(node.operand)
        if node.op == "+":
            return self.expr(node.operand)
        pos = last_pos(node.operand)
        if node.op == "-":
            return self.counted((f"{self.mark(pos)}-{self.tight(node.operand, PREFIX)}", PREFIX), pos)
        if self.optimise and type_of(node.operand) == INT:
            return f"~{self.tight(node.operand, PREFIX)}", PREFIX
        text = self.expr(node.operand)[0]
        return self.counted((f"{self.helper('bnot')}{self.mark(pos)}({text})", CALL), pos)

    # Binary ---------------------------------------------------------------------------------------------

    def binary(self, node: tree.Binary) -> Code:
        """Emit a chain from its left end, so that long ones nest neither here nor in Lua."""
        spine = [node]
        left = node.left
        while type(left) is tree.Binary:
            spine.append(left)
            left = left.left
        code = self.value(left)
        run, kept = 1, ""
        for count, link in enumerate(reversed(spine), 1):
            if not count % _CHAIN and code[1] == CALL and not self.inline:
                kept = self._keep(code[0], kept)
                code = kept, NAME
            before = len(self.out)
            if self._concatenates(link):
                if run >= _CONCAT_RUN and not self.inline:
                    kept = self._keep(code[0], kept)
                    code, run, before = (kept, NAME), 1, len(self.out)
                code, run = self._concat(link, code, run, before)
                continue
            right = self.expr(link.right)
            if len(self.out) > before:
                code = self._spill_left(link.left, code, before)
            elif self.may_change(link.left, link.right):
                code = f"{self.helper('same')}({code[0]})", CALL
            code = self._combine(link, code, right)
            if link.op not in ("==", "!="):
                code = self.counted(code, link.pos)
            run = 1
        return code

    def _spill_left(self, node: tree.Expr, code: Code, before: int) -> Code:
        texts = [code[0]]
        self.spill([node], texts, 1, before)
        return (texts[0], NAME) if texts[0] != code[0] else code

    def _combine(self, link: tree.Binary, left: Code, right: Code) -> Code:
        op = link.op
        if op in ("==", "!="):
            return self._equality(link, left, right)
        if op in _COMPARISONS:
            # Lua compares on the line where the right operand ends
            right = self.settle(right[0], link.pos, op), ATOM if MARK_OPEN in right[0] else right[1]
            return self._infix(link.pos, op, COMPARE, left, right, tag=op)
        if op in _NATIVE:
            sign, strength = _NATIVE[op]
            if op == "-" and right[0] == "0":
                # Lua turns x - 0 into x + 0, which takes its sign off minus zero
                right = self.helper("zero"), NAME
            return self._infix(link.pos, sign, strength, left, right)
        if self.optimise:
            special = self._typed(link, left, right)
            if special is not None:
                return special
        return f"{self.helper(_HELPERS[op])}{self.mark(link.pos)}({left[0]},{right[0]})", CALL

    def _infix(self, pos: int, sign: str, strength: int, left: Code, right: Code, tag: str = "") -> Code:
        """Write a left-associative operator on a line of its own."""
        text, level = left
        if level < strength or level in (INDEX, COMPARE):
            text = f"({text})"
        right_text = right[0] if right[1] > strength else f"({right[0]})"
        return f"{text}{self.mark(pos, tag)}{sign}{right_text}", strength

    @staticmethod
    def _plain_infix(sign: str, strength: int, left: Code, right: Code) -> Code:
        text = left[0] if left[1] >= strength and left[1] != COMPARE else f"({left[0]})"
        right_text = right[0] if right[1] > strength else f"({right[0]})"
        return f"{text}{sign}{right_text}", strength

    def _equality(self, link: tree.Binary, left: Code, right: Code) -> Code:
        if types(link.left) == FUNC or types(link.right) == FUNC:
            name = "never_equal" if link.op == "==" else "always_unequal"
            return f"{self.helper(name)}({left[0]},{right[0]})", CALL
        return self._plain_infix("==" if link.op == "==" else "~=", COMPARE, left, right)

    def _typed(self, link: tree.Binary, left: Code, right: Code) -> Code | None:
        """Emit division, remainder and bit operations natively where both types are known."""
        op = link.op
        left_type, right_type = type_of(link.left), type_of(link.right)
        numbers = left_type and right_type and not (left_type | right_type) & ~NUM
        if op == "/" and numbers and FLOAT in (left_type, right_type):
            return self._plain_infix("/", PRODUCT, left, right)
        if left_type != INT or right_type != INT:
            return None
        constant = strip(link.right)
        literal = constant.value if type(constant) is tree.Int else None
        if op in ("/", "%"):
            return self._int_division(link, left, right, literal)
        if op in _BITS:
            sign, strength = _BITS[op]
            return self._plain_infix(sign, strength, left, right)
        if op == "&^":
            right_text = right[0] if right[1] > PREFIX else f"({right[0]})"
            return self._plain_infix("&", BIT_AND, left, (f"~{right_text}", PREFIX))
        if literal is not None and literal < 63:
            if op == "<<":
                return self._plain_infix("<<", SHIFT, left, right)
            return self._plain_infix("//", PRODUCT, left, (str(1 << literal), ATOM))
        return None

    def _int_division(self, link: tree.Binary, left: Code, right: Code, literal: int | None) -> Code | None:
        if literal is not None and literal > 0:
            name = left[0]
            if not name.replace("_", "").isalnum():
                name = "" if self.inline else self.temporary(left[0])
            sign = "//" if link.op == "/" else "%"
            if name:
                helper = self.helper("idiv" if link.op == "/" else "fmod")
                return f"({name}>=0 and {name}{sign}{right[0]} or {helper}({name},{right[0]}))", NAME
        helper = self.helper("idiv" if link.op == "/" else "fmod")
        return f"{helper}{self.mark(link.pos)}({left[0]},{right[0]})", CALL

    # Concatenation --------------------------------------------------------------------------------------

    def _concatenates(self, link: tree.Binary) -> bool:
        return self.optimise and not self.options.check_lengths and link.op == "+" and type_of(link.left) == STR

    def _concat(self, link: tree.Binary, left: Code, run: int, before: int) -> tuple[Code, int]:
        right = self._concat_part(link.right)
        if len(self.out) > before:
            left = self._spill_left(link.left, left, before)
            run = 1
        text = left[0] if left[1] >= CONCAT and run < _CONCAT_RUN else f"({left[0]})"
        run %= _CONCAT_RUN
        return (f"{text} .. {right}", CONCAT), run + 1

    def _keep(self, text: str, name: str) -> str:
        """Keep what a chain has made so far, in the variable it has for that, if any."""
        if not name:
            return self.temporary(text)
        self.out.append(f"{name}={text}")
        return name

    def _concat_part(self, node: tree.Expr) -> str:
        inner = strip(node)
        if type(inner) is tree.Int or type(inner) is tree.Char:
            literal = str(inner.value) if type(inner) is tree.Int else chr(inner.value)
            if type(inner) is tree.Int or not 0xD800 <= inner.value < 0xE000:
                return self.quote(literal.encode())
        mask = type_of(inner)
        text, level = self.expr(inner)
        if mask and not mask & ~(STR | INT):
            return text if level >= CONCAT else f"({text})"
        return f"{self.helper('shown')}({text})"

    EXPRESSIONS: ClassVar[ExpressionTable] = {
        **ExpressionWriter.EXPRESSIONS,
        tree.Unary: unary,
        tree.Binary: binary,
        tree.Logical: logical,
        tree.Cond: choice,
    }
