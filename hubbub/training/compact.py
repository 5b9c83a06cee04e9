"""A graph without what only takes room: the same arithmetic from fewer and shorter words."""

from copy import deepcopy
from typing import TypeVar

import onnx
import torch
from torch import nn

from hubbub.networks.hub import KERNEL, ResidualBlock

Network = TypeVar("Network", bound=nn.Module)


def without_norms(network: Network) -> Network:
    """A copy of a network that is no longer trained, its depthwise convolutions scaled and shifted as the norm behind
    them did.

    They become convolutions of one operator, which runtimes do faster than the three products they are trained as.
    """
    network = deepcopy(network)
    for block in network.modules():
        if isinstance(block, ResidualBlock) and isinstance(block.norm, nn.BatchNorm1d):
            old, norm = block.depthwise, block.norm
            assert norm.running_mean is not None and norm.running_var is not None
            (dilation,) = old.dilation
            new = nn.Conv1d(old.in_channels, old.out_channels, KERNEL, dilation=dilation, groups=old.groups)
            with torch.no_grad():
                scale = norm.weight / (norm.running_var + norm.eps).sqrt()
                new.weight.copy_(old.weight * scale[:, None, None])
                assert new.bias is not None
                new.bias.copy_(norm.bias - norm.running_mean * scale)
            block.depthwise, block.norm = new, nn.Identity()  # type: ignore[assignment]
    return network


def compact(model: onnx.ModelProto) -> None:
    """Each constant once, no identities, short names; inputs and outputs keep theirs. In place."""
    graph = model.graph
    _drop_identities(graph)
    _share_constants(graph)
    kept = {value.name for value in (*graph.input, *graph.output)}
    short: dict[str, str] = {"": ""}
    for tensor in graph.initializer:
        short[tensor.name] = f"c{len(short)}"
        tensor.name = short[tensor.name]
    for node in graph.node:
        node.name = node.doc_string = ""
        for name in (*node.input, *node.output):
            short.setdefault(name, name if name in kept else f"v{len(short)}")
        _rename(node, short)
    del graph.value_info[:]


def _drop_identities(graph: onnx.GraphProto) -> None:
    outputs = {value.name for value in graph.output}
    same: dict[str, str] = {}
    for node in graph.node:
        _rename(node, same)
        if node.op_type == "Identity" and node.output[0] not in outputs:
            same[node.output[0]] = node.input[0]
    _keep(graph, [node for node in graph.node if node.output[0] not in same])


def _share_constants(graph: onnx.GraphProto) -> None:
    """Constants that stand among the nodes go to the other ones, and of equal ones one is enough."""
    named = [(tensor.name, tensor) for tensor in graph.initializer]
    named += [(node.output[0], node.attribute[0].t) for node in graph.node if _is_constant(node)]
    first: dict[bytes, str] = {}
    same: dict[str, str] = {}
    stored = []
    for name, tensor in named:
        content = onnx.TensorProto()
        content.CopyFrom(tensor)
        content.name = content.doc_string = ""
        key = content.SerializeToString(deterministic=True)
        if key not in first:
            first[key] = content.name = name
            stored.append(content)
        same[name] = first[key]
    nodes = [node for node in graph.node if not _is_constant(node)]
    for node in nodes:
        _rename(node, same)
    _keep(graph, nodes)
    used = {name for node in nodes for name in node.input}
    del graph.initializer[:]
    graph.initializer.extend(tensor for tensor in stored if tensor.name in used)


def _is_constant(node: onnx.NodeProto) -> bool:
    return node.op_type == "Constant" and node.attribute[0].name == "value"


def _rename(node: onnx.NodeProto, names: dict[str, str]) -> None:
    node.input[:] = [names.get(name, name) for name in node.input]
    node.output[:] = [names.get(name, name) for name in node.output]


def _keep(graph: onnx.GraphProto, nodes: list[onnx.NodeProto]) -> None:
    kept = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del graph.node[:]
    graph.node.extend(kept)
