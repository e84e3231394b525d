"""Growth: makes nodes of the tree, each after what it is made from, as many at the same time as the carrier can."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable

from advisor.base.errors import AdviseError
from advisor.records.search import Spent
from advisor.tuning.carrier import Carrier
from advisor.tuning.tree import Node, Outcome, before, tree


class Growth:
    """Makes nodes, each once. outcomes: of all nodes so far, by name. spend: is told what each one took."""

    def __init__(self, carrier: Carrier, spend: Callable[[Spent], None]) -> None:
        self.carrier, self.spend, self.outcomes = carrier, spend, dict[str, Outcome]()

    def make(self, leaves: Iterable[Node]) -> Generator[tuple[Node, Outcome]]:
        """Make these nodes and, one by one, where paths to them part; yields them as they end."""
        nodes, working = tree(one for one in leaves if one.name not in self.outcomes), 0
        waiting = {name: node for name, node in nodes.items() if name not in self.outcomes}
        while waiting or working:
            for name, node in list(waiting.items()):
                above = before(node, nodes)
                parent = self.outcomes.get(above) if above else None
                if parent is not None and parent.status == "failed":
                    del waiting[name]
                    self.outcomes[name] = Outcome("failed", parent.why)
                    yield node, self.outcomes[name]
                elif (above is None or parent is not None) and working < self.carrier.workers:
                    del waiting[name]
                    self.carrier.start(node)
                    working += 1
            if working:
                node, outcome = self.carrier.next()
                working -= 1
                self._ended(node, outcome)
                yield node, outcome

    def _ended(self, node: Node, outcome: Outcome) -> None:
        self.spend(outcome.spent)
        self.outcomes[node.name] = outcome
        if outcome.status == "failed" and len(node.recipe.steps) == 1 and not node.seed:
            raise AdviseError(f"the baseline of every trial cannot be made: {outcome.why}")
