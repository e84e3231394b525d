"""Ask once whether the Hub can be reached: its libraries try for minutes before they say that it cannot."""

from __future__ import annotations

import os
import socket
from urllib.parse import urlsplit

from huggingface_hub import constants

SECONDS = 5.0
PROXIES = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")


def cache_only_if_out_of_reach() -> None:
    """Work from the local cache alone where the Hub does not answer; behind a proxy that is left to its libraries."""
    if constants.HF_HUB_OFFLINE or any(os.environ.get(name) for name in PROXIES):
        return
    address = urlsplit(constants.ENDPOINT)
    try:
        socket.create_connection((address.hostname or "", address.port or 443), SECONDS).close()
    except OSError:
        constants.HF_HUB_OFFLINE = True
