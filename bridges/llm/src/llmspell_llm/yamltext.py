"""Reading YAML that anybody may have written."""

from __future__ import annotations

from typing import Any


def read_yaml(text: str) -> Any:
    """Return what a YAML text says: plain data only, and no aliases, a few lines of which can stand for gigabytes.

    Raises:
        ValueError: It cannot be read.

    Example:
        >>> read_yaml("a: [1, x]")
        {'a': [1, 'x']}
    """
    import yaml

    class Loader(yaml.SafeLoader):
        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.AliasEvent):
                raise ValueError("aliases (*name) are refused")
            return super().compose_node(parent, index)

    try:
        return yaml.load(text, Loader)  # noqa: S506 - a SafeLoader
    except yaml.YAMLError as error:
        raise ValueError(str(error).splitlines()[0]) from error
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
