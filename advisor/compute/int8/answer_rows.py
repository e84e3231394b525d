"""Answer rows: in an ONNX graph that reads its answer from one row of tokens, only that row passes the end of it.

BERT's head reads the first token's vector, GPT-2's and OPT's that of the last, yet the last block's output and
feed-forward matrices, three quarters of the block's work, are applied to all tokens. The node that picks the row moves
up through the operators that treat each token by itself, to the attention and the residual that they start from. The
answers stay the same; of 12 blocks 6 % of the work goes, of 4 blocks 19 %.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from graphlib import TopologicalSorter
from typing import Any

from onnx import NodeProto

# Operators that treat each token by itself, as long as their other inputs are constants or treated so too.
TOKEN_WISE = {"Add", "Sub", "Mul", "Div", "Erf", "Tanh", "Relu", "Pow", "Sqrt", "MatMul", "LayerNormalization"}
# OPT flattens the tokens of all rows before its feed-forward part, by shapes that it reads there, and restores them.
RESHAPING = {"Shape", "Gather", "Slice", "Squeeze", "Unsqueeze", "Concat", "Reshape", "Gemm"}


def answer_rows_only(graph: Any) -> bool:
    """Move the picking of the answer's row as far up as it goes, in place. False where there is no such node."""
    constants = _constants(graph)
    for pick in (node for node in graph.node if _picks_row(node)):
        if _behind_norm(pick, graph):
            _move(graph, pick, _only_for(pick, graph, constants), constants)
            return True
    return False


def _behind_norm(pick: NodeProto, graph: Any) -> bool:
    """Whether it picks from the last norm's output. A view between them goes: GPT-2 restores a shape that is there."""
    producers = {output: node for node in graph.node for output in node.output}
    start, view = producers.get(pick.input[0]), None
    if start is not None and start.op_type == "Reshape":
        view, start = start, producers.get(start.input[0])
    if start is None or start.op_type != "LayerNormalization":
        return False
    if view is not None:
        pick.input[0] = start.output[0]
        graph.node.remove(view)
    return True


def _picks_row(node: NodeProto) -> bool:
    first = node.op_type == "Gather" and any(one.name == "axis" and one.i == 1 for one in node.attribute)
    return first or node.name.endswith("/answer_row/GatherElements")  # see `servable`


def _constants(graph: Any) -> set[str]:
    found = {tensor.name for tensor in graph.initializer}
    for node in graph.node:  # equal weights are exported once, the others as identities of it
        if node.op_type == "Constant" or (node.op_type == "Identity" and node.input[0] in found):
            found.update(node.output)
    return found


def _only_for(pick: NodeProto, graph: Any, constants: set[str]) -> set[str]:
    """Names of the nodes whose results reach nothing but the picked row, which they can be worked out for alone."""
    users = defaultdict(set)
    for node in graph.node:
        for name in node.input:
            users[name].add(node.name)
    inside = {node.name for node in graph.node if node.op_type in TOKEN_WISE | RESHAPING}
    while True:
        made = {output for node in graph.node if node.name in inside for output in node.output} - {pick.output[0]}
        kept = {
            node.name
            for node in graph.node
            if node.name in inside and _alone(node, made, constants) and _reaches(node, users, inside | {pick.name})
        }
        if kept == inside:
            return inside - {pick.name}
        inside = kept


def _reaches(node: NodeProto, users: dict[str, set[str]], inside: Collection[str]) -> bool:
    reached = {user for output in node.output for user in users[output]}
    return bool(reached) and reached.issubset(inside)


def _alone(node: NodeProto, made: set[str], constants: set[str]) -> bool:
    """Whether a node can be worked out for one row."""
    if node.op_type in RESHAPING:
        return made.issuperset(name for name in node.input if name not in constants)
    return node.op_type != "MatMul" or node.input[1] in constants  # attention multiplies tokens by tokens


def _move(graph: Any, pick: NodeProto, inside: set[str], constants: set[str]) -> None:
    """Pick the row of what flows into these nodes, instead of what flows out of the last one."""
    made = {output for node in graph.node if node.name in inside for output in node.output}
    picked: dict[str, str] = {pick.input[0]: pick.output[0]}
    nodes = [node for node in graph.node if node.name != pick.name]
    for node in [node for node in nodes if node.name in inside]:
        for place, name in enumerate(node.input):
            if name and name not in made | constants and name not in picked:
                picked[name] = f"{name}_row"
                nodes.append(_of(pick, name, picked[name]))
            node.input[place] = picked.get(name, name)
        node.output[0] = picked.get(node.output[0], node.output[0])
    ordered = _ordered(nodes)
    del graph.node[:]
    graph.node.extend(ordered)


def _of(pick: NodeProto, data: str, output: str) -> NodeProto:
    """The same picking, of other data."""
    made = NodeProto()
    made.CopyFrom(pick)
    made.name, made.input[0], made.output[0] = f"{data}/answer_row", data, output
    return made


def _ordered(nodes: list[NodeProto]) -> list[NodeProto]:
    """Each node behind those whose results it takes, as a file has to have them."""
    producers = {output: place for place, node in enumerate(nodes) for output in node.output}
    before = {place: [producers[name] for name in node.input if name in producers] for place, node in enumerate(nodes)}
    return [nodes[place] for place in TopologicalSorter(before).static_order()]
