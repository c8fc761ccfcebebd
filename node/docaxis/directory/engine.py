"""The engine room of python-tuf: its set of trusted metadata, imported without its HTTP client.

`tuf.ngclient` loads urllib3 for a client that docaxis does not use, two megabytes in every node. Here the package is
entered by its side door while the two modules are loaded, and left as if nobody had been there: whoever imports
`tuf.ngclient` afterwards gets all of it. Nothing else may live here.
"""

import sys
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tuf.ngclient._internal.trusted_metadata_set import TrustedMetadataSet
    from tuf.ngclient.config import EnvelopeType

_PACKAGE = "tuf.ngclient"


def _side_door() -> tuple[ModuleType, ModuleType]:
    """The two modules, loaded under an empty stand-in for their package."""
    if _PACKAGE in sys.modules:
        return _load()
    tuf = find_spec("tuf")
    assert tuf is not None and tuf.submodule_search_locations, "python-tuf is a dependency of this package"  # noqa: PT018
    stand_in = ModuleType(_PACKAGE)
    stand_in.__path__ = [f"{tuf.submodule_search_locations[0]}/ngclient"]
    before = set(sys.modules)
    sys.modules[_PACKAGE] = stand_in
    try:
        return _load()
    finally:
        for name in set(sys.modules) - before:
            if name.startswith(_PACKAGE):
                del sys.modules[name]


def _load() -> tuple[ModuleType, ModuleType]:
    return import_module(f"{_PACKAGE}._internal.trusted_metadata_set"), import_module(f"{_PACKAGE}.config")


_TRUSTED, _CONFIG = _side_door()
if not TYPE_CHECKING:
    TrustedMetadataSet = _TRUSTED.TrustedMetadataSet
    EnvelopeType = _CONFIG.EnvelopeType

__all__ = ["EnvelopeType", "TrustedMetadataSet"]
