"""Processes of `accelerate launch` on one machine: the first decides, writes and reports; the others train with it.

They are identified by what the launcher sets in the environment (docs of torchrun: RANK, LOCAL_RANK, WORLD_SIZE).
Without a launcher there is one process, and nothing here does anything.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import timedelta

import torch
from accelerate import PartialState
from accelerate.utils import broadcast_object_list

LONGEST = timedelta(days=1)  # to wait for the first, which may export and measure meanwhile


def count() -> int:
    """How many processes work together."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def number() -> int:
    """Which of them this one is; 0 writes and reports."""
    return int(os.environ.get("RANK", "0"))


def own(device: torch.device) -> torch.device:
    """This process's GPU where there are several; else the device as it is."""
    several = device.type == "cuda" and count() > 1
    return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0"))) if several else device


def share(rows: Sequence[int], place: int, of: int) -> Sequence[int]:
    """The rows of a batch that one of so many processes takes; the first row where none is left for it."""
    return rows[place::of] or rows[:1]


def agreed(value: bool, device: torch.device) -> bool:
    """The first process's value, for which all others wait. device: the one that trains."""
    if count() == 1:
        return value
    PartialState(cpu=device.type == "cpu", timeout=LONGEST)  # joins the processes, once
    told = [value]
    broadcast_object_list(told)
    return told[0]
