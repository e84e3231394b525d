"""Layer removal (depth pruning): whole blocks are removed, the others keep their weights.

Source: white paper section 4.1; Sajjad et al. arXiv 2004.03844; the evenly spaced choice follows
`make_student.py` of seq2seq-distillation (first and last block always stay).
"""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from advisor.base.constraints import Bound
from advisor.base.frozen import frozen
from advisor.base.interval import Number
from advisor.families.family import Config, Family
from advisor.recipe.steps.step import Step, Unfit

if TYPE_CHECKING:
    from advisor.compute.tasks.scorer import Scorer
    from advisor.compute.training.context import Context
    from advisor.records.results import Progress

SCORED_ROWS = 256  # that importance is measured on
Choice = Literal["alternate", "top", "importance"]


@frozen
class LayerRemoval(Step):
    """Keep `keep` blocks; an encoder-decoder names its stacks: `encoder_keep`, `decoder_keep`.

    choose: `alternate` keeps blocks evenly spaced, first and last among them; `top` drops the last ones; `importance`
    drops those whose removal changes the answers on training rows least.
    """

    name: ClassVar[str] = "layer_removal"
    structural: ClassVar[bool] = True
    measured: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "removed_share": ("keep", "encoder_keep", "decoder_keep"),
        "keep_share": ("keep", "encoder_keep", "decoder_keep"),
        "encoder_removed_share": ("keep", "encoder_keep"),
    }
    keep: Annotated[int, Bound(gt=0)] | None = None
    encoder_keep: Annotated[int, Bound(gt=0)] | None = None
    decoder_keep: Annotated[int, Bound(gt=0)] | None = None
    choose: Choice = "alternate"

    @classmethod
    def cutting(cls, family: Family) -> tuple[str, ...]:
        stacks, possible = [stack.name for stack in family.stacks], family.described.cuts["possible"]
        named = [name for name in stacks if name in ("encoder", "decoder") and f"layers.{name}" in possible]
        return tuple("keep" if len(stacks) == 1 else f"{name}_keep" for name in named)

    def kept(self, family: Family) -> dict[str, int]:
        """The number of blocks to keep, by stack; stacks that are not named stay whole.

        Raises:
            Unfit: the settings name stacks that the model does not have, or none at all.
        """
        given = {"encoder": self.encoder_keep, "decoder": self.decoder_keep}
        named = {stack: count for stack, count in given.items() if count is not None}
        stacks = [stack.name for stack in family.stacks]
        if not {"encoder", "decoder"} & set(stacks):
            raise ValueError(f"{family.title} has {' and '.join(stacks)} blocks: no step can remove them yet")
        if len(stacks) == 1 and self.keep is not None and not named:
            return {stacks[0]: self.keep}
        if len(stacks) > 1 and self.keep is None and named:
            return named
        keys = "keep" if len(stacks) == 1 else "encoder_keep and decoder_keep"
        stranger = "keep" if len(stacks) > 1 and self.keep else next((f"{stack}_keep" for stack in named), "")
        raise Unfit({stranger: f"{family.title} has {' and '.join(stacks)} blocks: give only {keys}"})

    def resized(self, family: Family, config: Config) -> dict[str, Any]:
        if config.get("scale_attn_by_inverse_layer_idx"):
            raise ValueError(
                "this config divides attention by the block's number (scale_attn_by_inverse_layer_idx), "
                "so moving blocks up would change the model's outputs"
            )
        before = family.shape(config).layers
        layers = dict(before)
        wrong = {}
        for stack, count in self.kept(family).items():
            if count > layers[stack]:
                setting = f"{stack}_keep" if len(layers) > 1 else "keep"
                wrong[setting] = f"cannot keep {count} of {layers[stack]} {stack} blocks"
            layers[stack] = count
        if layers == before:
            whole = " and ".join(f"{count} {stack}" for stack, count in layers.items())
            wrong["keep" if len(layers) == 1 else ""] = f"nothing is removed: all {whole} blocks stay, keep fewer"
        if wrong:
            raise Unfit(wrong)
        if self.choose == "importance" and family.shared_layers:
            raise Unfit({"choose": f"all layers of {family.title} run the same block: there is nothing to choose"})
        return family.keeping(config, self.numbers(before, layers))

    def numbers(self, before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, Sequence[int]]:
        """The indices of the blocks that stay, by stack; where importance decides, the first ones stand in."""
        if self.choose == "alternate":
            return {stack: Evenly(before[stack], after[stack]) for stack in before}
        return {stack: range(after[stack]) for stack in before}

    def measures(self, family: Family, before: Config, after: Config) -> Mapping[str, Number]:
        was, now = family.shape(before).layers, family.shape(after).layers
        removed = {stack: Fraction(was[stack] - now[stack], was[stack]) for stack in was}
        most = max(removed.values())
        encoder = removed.get("encoder", Fraction(0))
        return {"removed_share": most, "keep_share": 1 - most, "encoder_removed_share": encoder}

    def scored_rows(self, family: Family, before: Config, after: Config) -> int:
        if self.choose != "importance":
            return 0
        was, now = family.shape(before).layers, family.shape(after).layers
        # A whole pass for each removed block, and for each remaining one a pass through the blocks behind it: of n
        # blocks n(n - 1)/2 of them, which add up to the binomial of n + 1 over 3.
        passes = sum(
            whole - now[stack] + Fraction(math.comb(whole + 1, 3) - math.comb(now[stack] + 1, 3), whole)
            for stack, whole in was.items()
        )
        return SCORED_ROWS * (1 + math.ceil(passes))

    def words(self) -> str:
        if self.keep is not None:
            return _layers(self.keep)
        if self.encoder_keep is not None and self.decoder_keep is not None:
            return f"{self.encoder_keep}+{self.decoder_keep} layers"
        stack, count = ("encoder", self.encoder_keep) if self.encoder_keep else ("decoder", self.decoder_keep)
        return _layers(count or 0, f"{stack} ")

    def apply(self, student: Scorer, config: Config, context: Context) -> Generator[Progress, None, Scorer]:
        from advisor.compute.structure.surgery import keep_layers
        from advisor.compute.training.importance import least_missed_go
        from advisor.records.results import Progress

        family = context.family
        before = family.shape(student.model.config.to_dict()).layers
        after = family.shape(config).layers
        kept = {stack: tuple(blocks) for stack, blocks in self.numbers(before, after).items()}
        if self.choose == "importance":
            kept = yield from least_missed_go(student, context, after, SCORED_ROWS)
        yield Progress("remove layers", 1, 1, f"kept {kept}")
        return keep_layers(student, kept)


class Evenly(Sequence[int]):
    """`keep` of `layers` block numbers, evenly spaced with the first and the last: of 12, 4 are 0, 4, 7, 11.

    Each is counted when it is asked for: proofs try models of millions of layers, of which they need the number alone.
    """

    def __init__(self, layers: int, keep: int) -> None:
        self.layers, self.keep = layers, keep

    def __len__(self) -> int:
        return self.keep

    def __getitem__(self, place: Any) -> Any:
        if not 0 <= place < self.keep:
            raise IndexError(place)
        return round(place * (self.layers - 1) / (self.keep - 1)) if self.keep > 1 else 0


def _layers(count: int, stack: str = "") -> str:
    return f"{count} {stack}layer{'' if count == 1 else 's'}"
