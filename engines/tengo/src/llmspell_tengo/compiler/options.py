"""How a program is compiled."""

from __future__ import annotations

from dataclasses import dataclass, replace

BUILTINS = [
    "len",
    "copy",
    "append",
    "delete",
    "splice",
    "string",
    "int",
    "bool",
    "float",
    "char",
    "bytes",
    "time",
    "is_int",
    "is_float",
    "is_string",
    "is_bool",
    "is_char",
    "is_bytes",
    "is_array",
    "is_immutable_array",
    "is_map",
    "is_immutable_map",
    "is_iterable",
    "is_time",
    "is_error",
    "is_undefined",
    "is_function",
    "is_callable",
    "type_name",
    "format",
    "range",
    "freeze",
]


@dataclass(frozen=True, slots=True)
class CompileOptions:
    """What the compiler must know besides the text.

    Attributes:
        globals: Names defined before the program begins.
        exports: The main program's ``export`` ends it and is its result; otherwise it is ignored, as the
            reference ignores it.
        expose: The program hands out its outermost variables at its end.
        result: Name of the variable that is the result when nothing is exported; ``""`` for none.
        optimise: Use types, counted loops, direct calls and arrays that grow in place. Off for counting
            allocations and for checking the optimised emission against.
        count_allocs: Count object allocations as the reference does; implies no optimisation.
        check_lengths: Check the length of every string that is built; native concatenation does not.
        max_string_len: Longest string literal, and with ``check_lengths`` longest string.
        max_const_objects: Most distinct constants, or -1.
    """

    globals: tuple[str, ...] = ()
    exports: bool = True
    expose: bool = False
    result: str = ""
    optimise: bool = True
    count_allocs: bool = False
    check_lengths: bool = False
    max_string_len: int = 2147483647
    max_const_objects: int = -1

    def unoptimised(self) -> CompileOptions:
        return replace(self, optimise=False)
