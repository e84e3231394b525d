"""Scaffold: a new rule file that is valid from the start, for people to change."""

from __future__ import annotations

import re
from pathlib import Path

from advisor.base.errors import Fault, PolicyError
from advisor.base.files import write
from advisor.policy.pack import find
from advisor.policy.shipped import MANIFEST

ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
RULE = """\
# Change every line, then run: advise rules test {folder} && advise rules verify {folder}
id: {name}
title: Say in one line what the rule asks for
origin: {pack}
severity: warning  # error refuses the recipe; warning and note only say so
since: "0.1.0"
# Conditions on model.*, data.*, device.*, goal.*, meta.*, training.*, gates.*, recipe.steps and settings of steps.
# All of them must hold; `any`, `not` and `known` combine them.
when:
  data.samples: "< 1000"
  recipe.steps: distillation
# deny, forbid, require, allow_only, limit, order, prefer, warn
then:
  warn: "say what is wrong with the recipe, and what to do instead"
because: >-
  Say why, for the person whose recipe it stops.
evidence:
  - {{source: your-policy, at: page or section, says: What stands there in a sentence., strength: documentation}}
confidence: medium
examples:  # situations in which the rule applies, and others in which it does not
  fires:
    - {{model: bert, samples: 999, steps: [finetune, layer_removal: {{keep: 8}}, distillation]}}
  quiet:
    - {{model: bert, samples: 1000, steps: [finetune, layer_removal: {{keep: 8}}, distillation]}}
    - {{model: bert, samples: 999, steps: [finetune]}}
"""
PACK = """\
name: {pack}
version: "0.1.0"
description: Our rules on top of the shipped ones
extends: [core]
# meta:  # what every recipe has to say, or may
#   owner: {{about: who answers for the model, required: true}}
sources:
  your-policy: Say where the policy can be read.
"""


def scaffold(name: str, folder: Path) -> tuple[Path, ...]:
    """Write a rule file into a pack, and the pack's manifest where there is none. Returns what was written.

    Raises:
        PolicyError: the id is not of lower-case words between hyphens, the file is there already, or the pack is
            invalid or has a rule of this id, its own or from a pack that it extends.
    """
    if not ID.fullmatch(name):
        raise PolicyError(Fault(f"{name!r} is no id", hint="write lower-case words with hyphens: edge-needs-int8"))
    file, manifest = folder / f"{name}.yaml", folder / MANIFEST
    if file.exists():
        raise PolicyError(Fault("is there already", str(file), hint="choose another id, or edit the file"))
    known = find(str(folder) if manifest.exists() else "core")
    if name in {*(rule.id for rule in known.rules), *known.disabled}:
        hint = "choose another id, or change that rule under `overrides` in pack.yaml"
        raise PolicyError(Fault(f"{name} is a rule of this pack already, or of one that it extends", hint=hint))
    folder.mkdir(parents=True, exist_ok=True)
    pack = folder.resolve().name
    written = [] if manifest.exists() else [manifest]
    for one in written:
        write(one, PACK.format(pack=pack))
    write(file, RULE.format(name=name, folder=folder, pack=pack))
    return (*written, file)
