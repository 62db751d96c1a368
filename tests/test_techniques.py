"""The graph of techniques is those of both studies, each a path from the original network."""

from __future__ import annotations

import pytest

from benchmarks.techniques import (
    ORIGINAL_STUDY,
    PRETRAINED_STUDY,
    TECHNIQUES,
    TRAITS,
    Technique,
    float_node,
    lineage,
    of_studies,
    off_count,
)
from fixtures.compression.steps import STEPS

# Table II of Castro et al. (2025), in its order.
TABLE_II = [
    "original",
    "int8",
    "pruned",
    "pruned_int8",
    "clustered",
    "clustered_int8",
    "sparse_clustered",
    "sparse_clustered_int8",
    "qat",
    "qat_int8",
    "cqat",
    "cqat_int8",
    "pqat",
    "pqat_int8",
    "pcqat",
    "pcqat_int8",
]

PARENTS_OF_FLOAT_NODES = {
    "original": None,
    "pruned": "original",
    "clustered": "original",
    "sparse_clustered": "pruned",
    "qat": "original",
    "cqat": "clustered",
    "pqat": "pruned",
    "pcqat": "sparse_clustered",
    "l1_pruned": "original",
    "ablated": "original",
}

# What the study of pretrained models does to a network, behind those of Table II.
PRETRAINED = ["l1_pruned", "weight_quantized", "ablated", "l1_pruned_weight_quantized"]

every_technique = pytest.mark.parametrize("technique", TECHNIQUES.values(), ids=TECHNIQUES)


def test_techniques_are_those_of_table_ii_in_its_order_then_those_of_the_second_study() -> None:
    assert list(TECHNIQUES) == [*TABLE_II, *PRETRAINED]
    assert list(ORIGINAL_STUDY) == TABLE_II
    assert list(PRETRAINED_STUDY) == ["original", *PRETRAINED]


def test_codes_count_from_1() -> None:
    assert [technique.code for technique in TECHNIQUES.values()] == list(range(1, 21))


@every_technique
def test_technique_is_found_by_its_name(technique: Technique) -> None:
    assert TECHNIQUES[technique.name] is technique


def test_float_nodes_hang_on_the_networks_they_are_made_from() -> None:
    floats = {name: node.parent for name, node in TECHNIQUES.items() if not node.converted}
    assert floats == PARENTS_OF_FLOAT_NODES


def test_every_float_node_is_followed_by_its_int8_leaf() -> None:
    nodes = [TECHNIQUES[name] for name in ORIGINAL_STUDY]
    for node, leaf in zip(nodes[::2], nodes[1::2], strict=True):
        assert (leaf.parent, leaf.step) == (node.name, "convert_int8")
        assert leaf.claims.int8
        assert not node.claims.int8


def test_int8_leaf_is_named_after_its_float_node_and_that_of_the_original_int8_alone() -> None:
    for leaf in TECHNIQUES.values():
        if leaf.claims.int8:
            assert leaf.name == ("int8" if leaf.parent == "original" else f"{leaf.parent}_int8")


def test_title_tells_each_technique_from_the_others() -> None:
    assert len({technique.title for technique in TECHNIQUES.values()}) == len(TECHNIQUES)


def test_parents_come_before_children() -> None:
    seen: set[str | None] = {None}
    for technique in TECHNIQUES.values():
        assert technique.parent in seen
        seen.add(technique.name)


def test_nothing_hangs_on_a_leaf_that_is_converted() -> None:
    assert not any(node.parent and TECHNIQUES[node.parent].converted for node in TECHNIQUES.values())


@every_technique
def test_what_is_converted_is_of_the_network_of_its_parent(technique: Technique) -> None:
    node = technique.parent if technique.step.startswith("convert_") else technique.name
    assert float_node(technique.name) == node


@pytest.mark.parametrize(
    ("measured", "names"),
    [
        ([], TABLE_II),
        (["original"], TABLE_II),
        (["original", "pqat_int8"], TABLE_II),
        (["original", "somebodys"], TABLE_II),
        (["original", "ablated"], ["original", *PRETRAINED]),
        (["l1_pruned", "int8"], [*TABLE_II, *PRETRAINED]),
    ],
)
def test_a_run_is_about_the_studies_of_which_it_measured_something(
    measured: list[str], names: list[str]
) -> None:
    assert list(of_studies(measured)) == names


@pytest.mark.parametrize(
    ("count", "ratio", "off"), [(100, 0.29, 29), (20, 0.55, 11), (9, 0.2, 1), (4, 0.2, 0), (8, 0.95, 7)]
)
def test_a_share_of_channels_is_rounded_down_and_never_by_the_error_of_a_float(
    count: int, ratio: float, off: int
) -> None:
    assert off_count(count, ratio) == off


def test_lineage_of_the_root_is_itself() -> None:
    assert lineage("original") == (TECHNIQUES["original"],)


def test_lineage_goes_from_the_root_to_the_technique() -> None:
    path = ["original", "pruned", "sparse_clustered", "pcqat", "pcqat_int8"]
    assert [technique.name for technique in lineage("pcqat_int8")] == path


@every_technique
def test_lineage_takes_one_edge_of_the_graph_at_a_time(technique: Technique) -> None:
    path = lineage(technique.name)
    assert [child.parent for child in path] == [None, *(parent.name for parent in path[:-1])]


def test_lineage_of_an_unknown_name_is_an_error() -> None:
    with pytest.raises(KeyError, match="pqat_int4"):
        lineage("pqat_int4")


@every_technique
def test_traits_say_what_the_claims_say(technique: Technique) -> None:
    claims, traits = technique.claims, technique.traits
    assert ("pruned" in traits, "clustered" in traits) == (claims.sparse, claims.clustered)
    assert ("int8" in traits, "float" in traits) == (claims.int8, not technique.converted)
    assert ("filter_pruned" in traits, "ablated" in traits) == (claims.channels_off, claims.ablated)
    assert ("weight_quantized" in traits) == claims.int8_weights


@every_technique
def test_claims_follow_from_the_steps_on_the_way(technique: Technique) -> None:
    steps = {node.step for node in lineage(technique.name)}
    fake_quantized = {"qat", "cqat", "pqat", "pcqat"}
    assert technique.claims.sparse == ("prune" in steps)
    assert technique.claims.clustered == bool({"cluster", "sparse_cluster"} & steps)
    assert technique.claims.int8 == ("convert_int8" in steps)
    assert technique.claims.channels_off == ("l1_prune" in steps)
    assert technique.claims.int8_weights == ("convert_weights_int8" in steps)
    assert technique.claims.ablated == ("ablate" in steps)
    assert ("qat" in technique.traits) == bool(fake_quantized & steps)


def test_every_trait_is_described_and_every_described_one_occurs() -> None:
    assert set().union(*(technique.traits for technique in TECHNIQUES.values())) == set(TRAITS)


def test_every_step_of_training_is_implemented() -> None:
    steps = {technique.step for technique in TECHNIQUES.values() if not technique.converted}
    assert steps == set(STEPS)
