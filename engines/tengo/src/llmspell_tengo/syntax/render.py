"""The tree as text, in the form that the reference's ``String()`` methods give it. For tests and tools."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from llmspell_tengo.syntax import tree


def render(node: tree.Node | Iterable[tree.Stmt]) -> str:
    """Write a node, or a file's statements joined by ``"; "``.

    Example:
        >>> from llmspell_tengo.syntax import SourceFile, parse
        >>> render(parse(SourceFile("t", "a := 1 + 2 * b")))
        'a := (1 + (2 * b))'
    """
    if isinstance(node, tree.Node):
        return _WRITERS[type(node)](node)
    return "; ".join(map(render, node))


def _list(nodes: Iterable[tree.Expr]) -> str:
    return ", ".join(map(render, nodes))


def _optional(node: tree.Node | None) -> str:
    return "" if node is None else render(node)


def _call(node: tree.Call) -> str:
    return f"{render(node.callee)}({_list(node.args)}{'...' if node.spread else ''})"


def _string(node: tree.String) -> str:
    return node.text


def _map(node: tree.Map) -> str:
    pairs = zip(node.keys, node.values, strict=True)
    return "{" + ", ".join(f"{key.decode('utf-8', 'replace')}: {render(value)}" for key, value in pairs) + "}"


def _func(node: tree.Func) -> str:
    names = [param.name for param in node.params]
    if node.variadic:
        names[-1] = "..." + names[-1]
    return f"func({', '.join(names)}) {render(node.body)}"


def _assign(node: tree.Assign) -> str:
    targets, values = node.more or ([], [])
    return f"{_list([node.target, *targets])} {node.op} {_list([node.value, *values])}"


def _if(node: tree.If) -> str:
    text = "if " + (f"{render(node.init)}; " if node.init else "") + f"{render(node.test)} {render(node.then)}"
    return text + (f" else {render(node.other)}" if node.other else "")


def _for(node: tree.For) -> str:
    if node.init is None and node.post is None:
        return "for " + (f"{render(node.test)} " if node.test else "") + render(node.body)
    test = f"{render(node.test)} " if node.test else ""
    return f"for {_optional(node.init)} ; {test} ; {_optional(node.post)}{render(node.body)}"


def _branch(node: tree.Branch) -> str:
    return node.word + (f" {node.label}" if node.label else "")


_WRITERS: dict[type, Callable[[Any], str]] = {
    tree.Ident: lambda node: str(node.name),
    tree.Int: lambda node: str(node.text),
    tree.Float: lambda node: str(node.text),
    tree.Char: lambda node: str(node.text),
    tree.Bool: lambda node: "true" if node.value else "false",
    tree.String: _string,
    tree.Undefined: lambda _: "undefined",
    tree.Paren: lambda node: f"({render(node.inner)})",
    tree.Unary: lambda node: f"({node.op}{render(node.operand)})",
    tree.Binary: lambda node: f"({render(node.left)} {node.op} {render(node.right)})",
    tree.Logical: lambda node: f"({render(node.left)} {node.op} {render(node.right)})",
    tree.Cond: lambda node: f"({render(node.test)} ? {render(node.then)} : {render(node.other)})",
    tree.Index: lambda node: (
        f"{render(node.base)}.{node.index.text}" if node.dotted else f"{render(node.base)}[{render(node.index)}]"
    ),
    tree.Slice: lambda node: f"{render(node.base)}[{_optional(node.low)}:{_optional(node.high)}]",
    tree.Call: _call,
    tree.Array: lambda node: f"[{_list(node.items)}]",
    tree.Map: _map,
    tree.Func: _func,
    tree.Error: lambda node: f"error({render(node.value)})",
    tree.Immutable: lambda node: f"immutable({render(node.value)})",
    tree.Import: lambda node: f'import("{node.name}")',
    tree.Empty: lambda _: ";",
    tree.ExprStmt: lambda node: render(node.expr),
    tree.Assign: _assign,
    tree.Step: lambda node: f"{render(node.target)}{node.op}",
    tree.Block: lambda node: "{" + "; ".join(map(render, node.body)) + "}",
    tree.If: _if,
    tree.For: _for,
    tree.ForIn: lambda node: f"for {node.key.name}, {node.value.name} in {render(node.iterable)} {render(node.body)}",
    tree.Branch: _branch,
    tree.Return: lambda node: "return" + (f" {render(node.value)}" if node.value else ""),
    tree.Export: lambda node: f"export {render(node.value)}",
}
