"""What can cross between script and host, and how it is turned into it.

May import ``errors`` only.
"""

from llmspell.values.convert import ConverterSpec, TypeConverter, ValueConverter
from llmspell.values.handles import FunctionRef, HostRef, MethodRef
from llmspell.values.instants import from_milliseconds, instant_text, instants_as_text, milliseconds
from llmspell.values.value import DEFAULT_VALUE_LIMITS, Value, ValueLimits, check_value, size_of
from llmspell.values.wire import decoder, encode

__all__ = [
    "DEFAULT_VALUE_LIMITS",
    "ConverterSpec",
    "FunctionRef",
    "HostRef",
    "MethodRef",
    "TypeConverter",
    "Value",
    "ValueConverter",
    "ValueLimits",
    "check_value",
    "decoder",
    "encode",
    "from_milliseconds",
    "instant_text",
    "instants_as_text",
    "milliseconds",
    "size_of",
]
