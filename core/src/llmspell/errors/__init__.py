"""The one error tree of llmspell.

    LlmspellError
    ├── UsageError                     a call, option or argument of ours that makes no sense
    ├── ConfigError                    a configuration file or value that cannot be used
    ├── PluginError                    a plugin cannot be used
    │   ├── PluginLoadError            its entry point or factory raised
    │   ├── PluginConflictError        two plugins offer one name
    │   └── PluginVersionError         it speaks another version of the plugin contract
    ├── NotFoundError                  something named does not exist
    │   ├── EngineNotFoundError        no engine of that name, or for such a file
    │   ├── BridgeNotFoundError        no bridge of that name
    │   ├── SpellNotFoundError         no spell there, or it cannot be read
    │   └── ScriptModuleNotFoundError  a script requires what there is not
    ├── PolicyError                    a policy stands in the way
    │   ├── PolicyUnsupportedError     the policy asks for what this engine or machine cannot enforce
    │   └── PolicyDeniedError          the policy forbids what was asked
    ├── ParameterError                 spell parameters that do not fit their declaration
    ├── SessionClosedError             a session or run that has ended is used
    ├── ConversionError                a value that cannot cross, with its path
    ├── BridgeError                    an expected failure of an export: code and message reach the script
    │   └── ArgumentError              arguments that do not fit the export's signature
    ├── ScriptError                    the script's own failure: language, location, frames, guest value
    │   ├── ScriptSyntaxError          the source does not parse
    │   ├── ScriptRuntimeError         the script raised an error
    │   ├── ScriptExitError            the script asked to end with a status
    │   └── BridgeCallError            a host call failed and the script did not handle it
    ├── ResourceExhausted              a limit was reached; never catchable by the script
    │   ├── DeadlineExceeded           of time
    │   ├── StepsExceeded              of engine steps
    │   ├── MemoryExceeded             of the script's memory
    │   ├── OutputExceeded             of output
    │   └── BudgetExceeded             of host calls, model tokens or cost
    ├── Cancelled                      somebody stopped the run
    └── EngineCrashed                  the engine or its worker died or broke the protocol

Its branches stand in two files, by when an error comes: ``house`` before a run or beside it, ``run`` within one.
Every error has a stable ``code`` (snake_case, part of the public contract), an optional ``hint``
that says what to do next, and an ``exit_code`` for the command line.
"""

from llmspell.errors.house import (
    BridgeNotFoundError,
    ConfigError,
    EngineNotFoundError,
    NotFoundError,
    ParameterError,
    PluginConflictError,
    PluginError,
    PluginLoadError,
    PluginVersionError,
    PolicyDeniedError,
    PolicyError,
    PolicyUnsupportedError,
    ScriptModuleNotFoundError,
    SessionClosedError,
    SpellNotFoundError,
    UsageError,
)
from llmspell.errors.root import (
    Frame,
    LlmspellError,
    Location,
)
from llmspell.errors.run import (
    ArgumentError,
    BridgeCallError,
    BridgeError,
    BudgetExceeded,
    Cancelled,
    ConversionError,
    DeadlineExceeded,
    EngineCrashed,
    MemoryExceeded,
    OutputExceeded,
    ResourceExhausted,
    ScriptError,
    ScriptExitError,
    ScriptRuntimeError,
    ScriptSyntaxError,
    StepsExceeded,
)

__all__ = [
    "ArgumentError",
    "BridgeCallError",
    "BridgeError",
    "BridgeNotFoundError",
    "BudgetExceeded",
    "Cancelled",
    "ConfigError",
    "ConversionError",
    "DeadlineExceeded",
    "EngineCrashed",
    "EngineNotFoundError",
    "Frame",
    "LlmspellError",
    "Location",
    "MemoryExceeded",
    "NotFoundError",
    "OutputExceeded",
    "ParameterError",
    "PluginConflictError",
    "PluginError",
    "PluginLoadError",
    "PluginVersionError",
    "PolicyDeniedError",
    "PolicyError",
    "PolicyUnsupportedError",
    "ResourceExhausted",
    "ScriptError",
    "ScriptExitError",
    "ScriptModuleNotFoundError",
    "ScriptRuntimeError",
    "ScriptSyntaxError",
    "SessionClosedError",
    "SpellNotFoundError",
    "StepsExceeded",
    "UsageError",
]

for _name in __all__:
    globals()[_name].__module__ = __name__  # tracebacks and pickles then name them as they are imported
