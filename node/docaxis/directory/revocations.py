"""Revocations: a signed word against a key, checked against the directory in hand.

The rules are `docaxis.core.trust`'s; here they meet the officers and entries of a verified directory, and the curve.
"""

from docaxis.core.errors import TheirFault
from docaxis.core.trust import Revocation, SignedRevocation, check_revocation, decode_revocation
from docaxis.directory import layout
from docaxis.directory.entries import certificate_key_id
from docaxis.directory.renewal import Accepted
from docaxis.seal.sign import verify


def checked_revocation(signed: SignedRevocation, accepted: Accepted) -> Revocation | None:
    """A revocation that enough officers of this directory signed, or None."""

    def owned(revocation: Revocation) -> bool:
        entry = accepted.entries.entry(revocation.party)
        keys = {key.id for key in entry.keys} | {certificate_key_id(der) for der in entry.certificates} if entry else ()
        return revocation.key in keys

    try:
        agency = accepted.authorities.get(layout.agency_of(decode_revocation(signed.body).party))
        return check_revocation(signed, accepted.authorities["root"], agency, owned, verify)
    except TheirFault:
        return None
