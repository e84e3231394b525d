"""Everything that touches tensors: the only modules that may import torch, transformers, datasets, onnxruntime."""

from __future__ import annotations

import os

# onnxruntime 1.32 reports to Microsoft from the moment it is imported, and leaves a device id in the user's cache.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
