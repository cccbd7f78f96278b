"""Sign what a client of MCP is to hand back while a person is asked, so that it can't have been made up or changed.

The SDK's own codec encrypts it as well, by a library of 12 MB that nothing else here needs. There is nothing to hide
from the client: it is the answer that the client gave. The SDK checks for whom and how long it holds.
"""

import base64
import hashlib
import hmac
import secrets

from mcp.server.request_state import InvalidRequestState

_SIGNATURE_BYTES = hashlib.sha256().digest_size


class SigningCodec:
    """A codec for the SDK's `RequestStateSecurity`, by a key that lives and dies with this object."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def seal(self, payload: bytes) -> str:
        """Make a token of the signature and the payload, in characters that are safe in a URL."""
        return base64.urlsafe_b64encode(self._signature(payload) + payload).decode()

    def unseal(self, token: str) -> bytes:
        """Give the payload of a token that `seal` made; InvalidRequestState for any other."""
        try:
            signed = base64.b64decode(token, altchars=b"-_", validate=True)
        except ValueError as error:
            raise InvalidRequestState("malformed") from error
        signature, payload = signed[:_SIGNATURE_BYTES], signed[_SIGNATURE_BYTES:]
        if not hmac.compare_digest(signature, self._signature(payload)):
            raise InvalidRequestState("signature")
        return payload

    def _signature(self, payload: bytes) -> bytes:
        return hmac.digest(self._key, payload, "sha256")
