# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Data classes whose methods are made when the first instance is.

Python compiles the methods of a data class anew in each process, some 0.4 ms a class. A task imports up to a hundred and has
instances of a few.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Callable, TypeVar

__all__ = ["dataclass"]

Class = TypeVar("Class", bound=type)

if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(**options: bool) -> Callable[[Class], Class]:
        """The same as `dataclasses.dataclass`, to everybody who has an instance. The first one of a class is to be made in one thread."""

        def deferred(cls: Class) -> Class:
            def __init__(self: Any, *values: Any, **named: Any) -> None:
                _complete(cls)
                self.__init__(*values, **named)

            cls.__init__ = __init__
            cls._deferred = options
            return cls

        return deferred


def _complete(cls: type) -> None:
    """Have the methods of a class made, and of those that it is derived from before, since it takes over their fields."""
    for base in reversed(cls.__mro__):
        options = vars(base).get("_deferred")
        if options is not None:
            del base.__init__, base._deferred  # type: ignore[misc, attr-defined]
            dataclasses.dataclass(**options)(base)
