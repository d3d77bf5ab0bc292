"""Weights in memory against the same weights in files."""

import numpy as np
import pytest

import attnlaw
from attnlaw import OptionError

HEADS, M, D = 4, 16, 64


@pytest.fixture(scope="module")
def maps():
    return np.random.default_rng(0).standard_normal((2, HEADS, M, D))


def figures(result):
    """The document without the names of what was read."""
    document = result.to_dict()
    document["model"] = {k: v for k, v in document["model"].items() if k not in ("file", "file_format")}
    return document


def test_arrays_are_what_files_of_them_are(maps, npy):
    q, k = maps
    of_files = attnlaw.inspect(q=npy("q.npy", q.reshape(-1, D)), k=npy("k.npy", k.reshape(-1, D)), heads=HEADS)
    assert figures(attnlaw.inspect(q=q, k=k)) == figures(of_files)
    assert figures(attnlaw.inspect(q=q.reshape(-1, D), k=k.reshape(-1, D), heads=HEADS)) == figures(of_files)


def test_lists_are_arrays(maps):
    q, k = maps
    assert figures(attnlaw.inspect(q=q.tolist(), k=k.tolist())) == figures(attnlaw.inspect(q=q, k=k))
    with pytest.raises(OptionError, match="q must be numbers in lists of one length"):
        attnlaw.inspect(q=[[1.0], [1.0, 2.0]], k=k.tolist())


def test_order_in_memory_does_not_matter(maps):
    q, k = maps
    turned = attnlaw.inspect(q=np.asfortranarray(q), k=k[:, ::-1][:, ::-1])
    assert figures(turned) == figures(attnlaw.inspect(q=q, k=k))


def test_a_head_has_its_null_as_a_law(maps):
    q, k = maps
    head = attnlaw.inspect(q=q, k=2 * k).heads[1]
    law = head.null
    # Entries of variances 1 and 4.
    assert law.edges.max() == pytest.approx(attnlaw.query_key_law(M, D, 2 * D).edges.max(), rel=0.1)
    # As much energy: the law has each singular value with both signs, and 0 for directions that are not there.
    assert D * law.moment(2) == pytest.approx((head.singular_values**2).sum(), rel=1e-6)
    assert head.singular_values.max() == pytest.approx(law.edges.max(), rel=0.2)


@pytest.mark.filterwarnings("ignore:head 0.0", "ignore:a factor of lower rank")
def test_a_head_that_n1_is_not_asked_of_has_no_null(maps):
    q, k = maps[:, :1]
    repeated = np.concatenate([q[:, : M // 2]] * 2, axis=1)
    without = [(repeated, k), (0 * q, k), (np.nan * q, k)]
    for left, right in without:
        head = attnlaw.inspect(q=left, k=right).heads[0]
        assert np.isnan(head.product.p)
        assert head.null is None
    # N1 is asked of these, whose law no number can scale.
    for scale in (1e-200, 1e200):
        head = attnlaw.inspect(q=scale * q, k=scale * k).heads[0]
        assert np.isfinite(head.product.p)
        assert head.null is None
    assert attnlaw.inspect(q=q, k=k).heads[0].null is not None


def test_a_row_for_each_head(maps):
    q, k = maps
    frame = attnlaw.inspect(q=q, k=k).to_pandas()
    assert (frame.kind == "head").sum() == HEADS
    assert "stable_rank" in frame.columns


@pytest.mark.filterwarnings("ignore:Without a config.json")
def test_state_dicts(maps, tmp_path):
    safetensors = pytest.importorskip("safetensors.numpy")
    state = {
        f"model.layers.{layer}.self_attn.{name}_proj.weight": array.reshape(-1, D).astype(kind)
        for layer, kind in enumerate((np.float32, np.float16))
        for name, array in zip("qk", maps, strict=True)
    }
    path = tmp_path / "model.safetensors"
    safetensors.save_file(state, path)
    assert figures(attnlaw.inspect(state, heads=HEADS)) == figures(attnlaw.inspect(path, heads=HEADS))
    assert figures(attnlaw.inspect(safetensors.load_file(path), heads=HEADS)) == figures(
        attnlaw.inspect(path, heads=HEADS)
    )


@pytest.mark.filterwarnings("ignore:Without a config.json", "ignore:Failed to initialize NumPy")
def test_torch_modules(maps, torch, monkeypatch):
    monkeypatch.syspath_prepend(torch)
    import torch

    state = {
        f"model.layers.0.self_attn.{name}_proj.weight": torch.nn.Parameter(torch.tensor(array.tolist()).reshape(-1, D))
        for name, array in zip("qk", maps, strict=True)
    }
    arrays = {name: np.from_dlpack(tensor.detach()) for name, tensor in state.items()}
    wide = attnlaw.inspect(state, heads=HEADS)
    assert figures(wide) == figures(attnlaw.inspect(arrays, heads=HEADS))
    narrow = attnlaw.inspect({name: tensor.bfloat16() for name, tensor in state.items()}, heads=HEADS)
    assert narrow.heads[0].stable_rank == pytest.approx(wide.heads[0].stable_rank, rel=1e-2)


def test_what_is_not_accepted(maps):
    q, k = maps
    with pytest.raises(OptionError, match="together"):
        attnlaw.inspect(q=q)
    with pytest.raises(OptionError, match="shape"):
        attnlaw.inspect(q=q[0, 0], k=k[0, 0])
    with pytest.raises(OptionError, match="4 heads by its shape"):
        attnlaw.inspect(q=q, k=k, heads=3)
    with pytest.raises(OptionError, match="complex128"):
        attnlaw.inspect(q=q + 0j, k=k)
    with pytest.raises(FileNotFoundError, match="absent"):
        attnlaw.inspect("absent.safetensors")
    with pytest.raises((OSError, ValueError), match=r"\w"):
        attnlaw.inspect({"nothing": np.ones(3)})


def test_maps_that_do_not_go_together_are_named(maps):
    q, k = maps
    for left, right, option in [
        (q, k[..., : D // 2], "k"),
        (q, k[:, : M // 2], "k"),
        (q.reshape(-1, D), k.reshape(-1, D), "heads"),
    ]:
        with pytest.raises(OptionError, match=f"^{option} ") as caught:
            attnlaw.inspect(q=left, k=right)
        assert caught.value.option == option


def test_weights_that_are_not_finite_are_warned_of(maps):
    q, k = maps
    with pytest.warns(attnlaw.AttnlawWarning, match="not finite"):
        attnlaw.inspect(q=np.where(q > 3, np.nan, q), k=k)
