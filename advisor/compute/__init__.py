"""Everything that touches tensors: the only modules that may import torch, transformers, datasets, onnxruntime."""
