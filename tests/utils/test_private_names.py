"""Private names of other libraries: each stands in one place, and is still there in the release that is installed."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import platform
import re
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import torch
from paths import ROOT

import kobert_hf_emotion

PACKAGE = ROOT / "kobert_hf_emotion"
LIBRARIES = ("accelerate", "datasets", "huggingface_hub", "tokenizers", "torch", "transformers", "typer")
HOMES = {
    "transformers": ("utils/transformers_private/",),
    "torch": ("utils/modules.py", "kernels/onednn.py", "kernels/cuda_graphs.py"),
    "openpyxl": ("data/tables/xlsx.py",),
    "optuna": ("search/storage.py",),
    "names in old files": ("legacy/structure.py",),  # keys of what was pickled, not attributes of a torch that is here
}
TRAINER, TOKENIZER = (
    "transformers.trainer:Trainer",
    "transformers.tokenization_utils_sentencepiece:SentencePieceBackend",
)
CALLED = {
    f"{TRAINER}._get_train_sampler": ["train_dataset"],
    f"{TRAINER}._get_eval_sampler": ["eval_dataset"],
    f"{TRAINER}._save_rng_state": ["output_dir"],
    f"{TRAINER}._load_rng_state": ["checkpoint"],
    f"{TRAINER}._save_optimizer_and_scheduler": ["output_dir"],
    f"{TRAINER}._save_scaler": ["output_dir"],
    f"{TRAINER}._prepare_inputs": ["inputs"],
    f"{TRAINER}._save_checkpoint": ["model", "trial"],
    f"{TRAINER}._push_from_checkpoint": ["checkpoint_folder"],
    f"{TRAINER}.save_model": ["output_dir", "_internal_call"],
    f"{TOKENIZER}._tokenize": ["text"],
    f"{TOKENIZER}._update_trie": ["unique_no_split_tokens"],
    f"{TOKENIZER}._save_pretrained": ["save_directory", "file_names"],
    f"{TOKENIZER}._encode_plus": [
        "text", "text_pair", "add_special_tokens", "padding_strategy", "truncation_strategy", "max_length",
        "pad_to_multiple_of", "padding_side", "return_tensors", "return_token_type_ids", "return_attention_mask",
        "return_length",
    ],
    "transformers.utils.hub:cached_files": [
        "_raise_exceptions_for_gated_repo", "_raise_exceptions_for_missing_entries",
        "_raise_exceptions_for_connection_errors",
    ],
}  # fmt: skip
"""Functions we call or replace, with the parameters that are relied on."""
READ = [
    "transformers:BertConfig()._attn_implementation",
    "torch.nn:Linear(1, 1)._modules",
    "torch.nn:Linear(1, 1)._parameters",
    "torch.nn:Linear(1, 1)._buffers",
    "torch.nn:Linear(1, 1)._forward_hooks",
    "torch.nn:Linear(1, 1)._forward_pre_hooks",
    "torch.nn:Module._compiled_call_impl",
    "optuna.trial:create_trial(value=0.0)._trial_id",
    "torch:_foreach_add_",
    "torch:_foreach_norm",
    "torch:_foreach_sub",
    "torch.nn.modules.module:_global_forward_hooks",
    "torch.nn.modules.module:_global_forward_pre_hooks",
]
OPERATORS = {
    "_linear_pointwise.default": ["X", "W", "B", "attr", "scalars", "algorithm"],
    "_linear_pointwise.binary": ["X", "other", "W", "B", "attr"],
    "_reorder_linear_weight.default": ["self", "batch_size"],
}
"""Of `torch.ops.mkldnn`, with their arguments in order."""


def found(name: str) -> Any:
    """Returns what `module:expression` stands for; fails with the name and the release where it is gone."""
    module, _, expression = name.partition(":")
    library = module.split(".")[0]
    try:
        return eval(f"home.{expression}", {"home": importlib.import_module(module)})  # noqa: S307 - the list above
    except (ImportError, AttributeError) as error:
        pytest.fail(f"{library} {version(library)} has no {name} any more: {error}")


@pytest.mark.parametrize("name", CALLED)
def test_functions_take_what_we_give_them(name: str) -> None:
    parameters = inspect.signature(found(name)).parameters
    if not all(argument in parameters for argument in CALLED[name]):
        library = name.split(".", maxsplit=1)[0].split(":", maxsplit=1)[0]
        missing = [argument for argument in CALLED[name] if argument not in parameters]
        pytest.fail(f"{library} {version(library)}: {name} takes no {missing} any more, but {list(parameters)}")


@pytest.mark.parametrize("name", READ)
def test_attributes_are_there(name: str) -> None:
    found(name)


@pytest.mark.skipif(platform.machine().lower() not in {"x86_64", "amd64"}, reason="used on x86-64 alone")
@pytest.mark.parametrize("name", OPERATORS)
def test_operators_take_what_we_give_them(name: str) -> None:
    operator, overload = name.split(".")
    known = getattr(getattr(torch.ops.mkldnn, operator, None), overload, None)
    assert known is not None, f"torch {torch.__version__} has no torch.ops.mkldnn.{name} any more"
    assert [argument.name for argument in known._schema.arguments] == OPERATORS[name], f"torch {torch.__version__}"


def test_the_bounds_are_the_releases_that_were_tried() -> None:
    table = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("| transformers | run |")[2]
    tried = [tuple(map(int, found)) for found in re.findall(r"^\| (5)\.(\d+)\.(\d+) \| ", table, flags=re.MULTILINE)]
    [bounds] = re.findall(r'"transformers(>=[^"]*)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert tried == sorted(tried)
    assert bounds == f">=5.{tried[0][1]},<5.{tried[-1][1] + 1}"


def foreign(tree: ast.Module, own: set[str], listed: set[str]) -> Iterator[tuple[int, str]]:
    """Yields the line and name of every private name in a module that is not `own`, or is `listed`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            names = [node.attr]
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            names = [node.name] if node.name in listed else []
        elif isinstance(node, ast.Call):
            names = [keyword.arg for keyword in node.keywords if keyword.arg is not None]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [*(node.module or "").split("."), *(alias.name for alias in node.names)]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            names = [node.value] if node.value in listed else []
        else:
            continue
        for name in names:
            if re.match(r"_(?!_)", name) and (name not in own or name in listed):
                yield getattr(node, "lineno", 0), name


def own_names(trees: dict[str, ast.Module]) -> set[str]:
    """Returns the private names that the package itself gives to something."""
    own = {"_replace", "_asdict"}  # of namedtuple, whose documented methods have an underscore
    for tree in trees.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                own.add(node.name)
            elif isinstance(node, ast.Attribute | ast.Name) and isinstance(node.ctx, ast.Store):
                own.add(node.attr if isinstance(node, ast.Attribute) else node.id)
            elif isinstance(node, ast.arg):
                own.add(node.arg)
    return own


@pytest.mark.slow
def test_no_other_module_uses_a_private_name() -> None:
    listed = {re.split(r"[.:]", name)[-1] for name in [*CALLED, *READ]} | {name.split(".")[0] for name in OPERATORS}
    listed |= {name for names in CALLED.values() for name in names}
    listed = {name for name in listed if name.startswith("_")}
    trees = {
        path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for path in PACKAGE.rglob("*.py")
    }
    homes = tuple(home for places in HOMES.values() for home in places)
    own = own_names({name: tree for name, tree in trees.items() if not name.startswith(homes)})
    used = [
        f"{name}:{line} {what}"
        for name, tree in trees.items()
        if not name.startswith(homes)
        for line, what in foreign(tree, own, listed)
    ]
    assert not used


def library_classes() -> list[type]:
    """Returns the classes of the package that are made from one of a library's."""
    modules = [
        importlib.import_module(module.name)
        for module in pkgutil.walk_packages(kobert_hf_emotion.__path__, "kobert_hf_emotion.")
        if not module.name.endswith("__main__")
    ]
    return [
        value
        for module in modules
        for value in vars(module).values()
        if inspect.isclass(value) and value.__module__ == module.__name__
        if any(base.__module__.split(".")[0] in LIBRARIES for base in value.__mro__)
    ]


@pytest.mark.parametrize("ours", library_classes(), ids=lambda ours: ours.__name__)
def test_no_private_method_of_ours_hides_one_of_a_library(ours: type) -> None:
    home = Path(inspect.getfile(ours)).relative_to(PACKAGE).as_posix()
    if home.startswith(HOMES["transformers"]):
        return
    theirs = [base for base in ours.__mro__ if base.__module__.split(".")[0] in LIBRARIES]
    mine = [name for name in vars(ours) if re.match(r"_(?!_|abc_)", name) and inspect.isfunction(vars(ours)[name])]
    assert {name: base for name in mine for base in theirs if name in vars(base)} == {}


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("model._modules", ["_modules"]),
        ("def _encode_plus(self): ...", ["_encode_plus"]),
        ("from transformers.utils import _secret", ["_secret"]),
        ("from torch.utils._pytree import tree_leaves", ["_pytree"]),
        ("call(x, _internal=True)", ["_internal"]),
        ("itemgetter('_modules')", ["_modules"]),
        ("self._own + self.public", []),
        ("class A:\n    def __init__(self): self.__dict__", []),
    ],
)
def test_the_check_sees_what_it_is_for(source: str, complaint: list[str]) -> None:
    assert [name for _, name in foreign(ast.parse(source), {"_own"}, {"_modules", "_encode_plus"})] == complaint
