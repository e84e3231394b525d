"""A recipe that the core pack refuses: few layers on little data."""

RULE = "small-data-few-layers"
RECIPE = """version: 1
name: x
model: {source: bert, family: bert}
data: {samples: 3000}
device: cpu
steps:
  - finetune: {}
  - layer_removal: {keep: 4}
  - distillation: {}
"""
