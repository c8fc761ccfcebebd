"""Errors that a node answered with: the family's two branches, with the node's own code and words.

What happened on this side of the connection is a plain `OurFault` or `TheirFault`; only these two mean that the node
was reached and said no.
"""

from collections.abc import Mapping
from typing import Any

from docaxis.core.errors import REGISTRY, DocaxisError, OurFault, TheirFault


class Refused(TheirFault):
    """The node refused the request; nothing was changed. `remedy` is what the node advises."""

    answered = True
    remedy = ""


class Failed(OurFault):
    """The node could not do it for reasons of its own (its disk, a limit, its directory)."""

    answered = True
    remedy = ""


def from_problem(status: int, problem: Mapping[str, Any]) -> DocaxisError:
    """The error that a problem document stands for; a code of a newer node is named in the detail."""
    code, detail = str(problem.get("code", "")), str(problem.get("detail", ""))
    if code not in REGISTRY:
        code, detail = "node.internal", f"{code or status} {detail}".strip()
    error = (Failed if REGISTRY[code].status >= 500 else Refused)(code, detail)
    error.remedy = str(problem.get("remedy", ""))
    return error
