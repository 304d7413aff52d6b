"""Files made to do harm: refused with the reason named, and nothing in them is run."""

from __future__ import annotations

import io
import pickle
import struct
import subprocess
import sys
import tarfile
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from legacy_files import SIZES, rezip

from kobert_hf_emotion.configuration import EmotionConfig
from kobert_hf_emotion.errors import CheckpointError
from kobert_hf_emotion.legacy import import_legacy_checkpoint, read_legacy_checkpoint
from kobert_hf_emotion.legacy.policy import CALLABLES
from kobert_hf_emotion.modeling.classifier import EmotionClassifier

Save = Callable[..., Path]
SENTINEL = "PWNED"
COMMAND = f"touch {SENTINEL}"
PYTHON = f"open({SENTINEL!r}, 'w')"


# An assembler for pickles: each returns the opcodes that push one object.


def value(content: object) -> bytes:
    return pickle.dumps(content, 2)[2:-1]


def name(module: str, attribute: str) -> bytes:
    return f"c{module}\n{attribute}\n".encode()


def arguments(*parts: bytes) -> bytes:
    return b"(" + b"".join(parts) + b"t"


def call(function: bytes, *parts: bytes) -> bytes:
    return function + arguments(*parts) + b"R"


def program(body: bytes) -> bytes:
    return b"\x80\x02" + body + b"."


def storage(numel: object = 4, key: object = "0", kind: bytes = name("torch", "FloatStorage")) -> bytes:
    return arguments(value("storage"), kind, value(key), value("cpu"), value(numel)) + b"Q"


def tensor(*parts: bytes) -> bytes:
    return call(name("torch._utils", "_rebuild_tensor_v2"), *parts)


def in_zip(data_pkl: bytes, *extra: tuple[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w", method) as archive:
        warnings.simplefilter("ignore")  # of the same name twice
        for entry, content in (("a/data.pkl", data_pkl), ("a/data/0", bytes(16)), *extra):
            archive.writestr(entry, content)
    return buffer.getvalue()


def in_stream(body: bytes) -> bytes:
    header = [0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}]
    return b"".join(pickle.dumps(part, 2) for part in header) + program(body) + pickle.dumps([], 2)


def in_tar(*members: tarfile.TarInfo) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for member in members:
            member.size = 4 if member.isreg() else 0
            tar.addfile(member, io.BytesIO(b"data"))
    return buffer.getvalue()


def member(path: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(path)
    info.type, info.linkname = kind, link
    return info


LINEAR = name("torch.nn.modules.linear", "Linear")
SYSTEM = call(name("os", "system"), value(COMMAND))

# What the calls would do if they were made; the reason that must be named; whether plain pickle runs it here.
CALLS: dict[str, tuple[bytes, str]] = {
    "os.system": (SYSTEM, "os.system"),
    "posix.system": (call(name("posix", "system"), value(COMMAND)), "posix.system"),
    "subprocess": (call(name("subprocess", "check_output"), value(["touch", SENTINEL])), "subprocess.check_output"),
    "eval": (call(name("builtins", "eval"), value(PYTHON)), "builtins.eval"),
    "exec": (call(name("builtins", "exec"), value(PYTHON)), "builtins.exec"),
    "eval by its name in Python 2": (call(name("__builtin__", "eval"), value(PYTHON)), "builtins.eval"),
    "open": (call(name("builtins", "open"), value(SENTINEL), value("w")), "builtins.open"),
    "getattr and call": (
        call(call(name("builtins", "getattr"), call(name("importlib", "import_module"), value("os")), value("system"))),
        "importlib.import_module",
    ),
    "pathlib": (call(name("pathlib", "Path.touch"), call(name("pathlib", "Path"), value(SENTINEL))), "pathlib.Path"),
    "runpy": (call(name("runpy", "_run_code"), value(PYTHON), value({})), "runpy._run_code"),
    "code": (call(name("code", "InteractiveInterpreter")), "code.InteractiveInterpreter"),
    "timeit": (call(name("timeit", "timeit"), value(PYTHON), value("pass"), value(1)), "timeit.timeit"),
    "cProfile": (call(name("cProfile", "run"), value(PYTHON)), "cProfile.run"),
    "functools.partial": (
        call(call(name("functools", "partial"), name("os", "system"), value(COMMAND))),
        "functools.partial",
    ),
    "operator": (call(call(name("operator", "methodcaller"), value("touch"))), "operator.methodcaller"),
    "shutil": (call(name("shutil", "copyfile"), value("/etc/hostname"), value(SENTINEL)), "shutil.copyfile"),
    "ctypes": (call(name("ctypes", "CDLL"), value("libc.so.6")), "ctypes.CDLL"),
    "webbrowser": (call(name("webbrowser", "open"), value("http://127.0.0.1")), "webbrowser.open"),
    "pip": (call(name("pip._internal.cli.main", "main"), value(["--version"])), "pip._internal.cli.main.main"),
    "numpy runstring": (call(name("numpy.testing", "runstring"), value(PYTHON), value({})), "numpy.testing.runstring"),
    "numpy.load": (call(name("numpy", "load"), value("x.npy")), "numpy.load"),
    "torch.load": (call(name("torch", "load"), value("other.pt")), "torch.load"),
    "torch.serialization.load": (call(name("torch.serialization", "load"), value("x")), "torch.serialization.load"),
    "pickle within torch": (
        call(name("torch.storage", "_load_from_bytes"), value(program(SYSTEM))),
        "torch.storage._load_from_bytes",
    ),
    "torch.hub": (call(name("torch.hub", "load"), value("someone/repo"), value("model")), "torch.hub.load"),
    "torch.jit": (call(name("torch.jit", "load"), value("x.pt")), "torch.jit.load"),
    "torch collect_env": (call(name("torch.utils.collect_env", "run"), value(COMMAND)), "torch.utils.collect_env.run"),
    "pickle.loads": (call(name("pickle", "loads"), value(program(SYSTEM))), "pickle.loads"),
    "marshal": (call(name("marshal", "loads"), value(b"")), "marshal.loads"),
    "a function of transformers": (
        call(name("transformers", "pipeline"), value("text-classification")),
        "transformers.pipeline",
    ),
    "a function of a package": (call(name("someones.package", "install"), value("x")), "someones.package.install"),
    "the notebook's class, called": (call(name("__main__", "BERTClassifier"), value(1)), "__main__.BERTClassifier"),
    "a loss, called": (call(LINEAR, value(1)), "torch.nn.modules.linear.Linear"),
    "nested in arguments": (call(name("collections", "OrderedDict"), arguments(SYSTEM)), "os.system"),
    "nested in a tensor": (tensor(SYSTEM, value(0), value((1,)), value((1,)), value(False), value({})), "os.system"),
    "through torch's own": (
        call(
            name("torch._tensor", "_rebuild_from_type_v2"),
            name("os", "system"),
            name("torch", "Tensor"),
            arguments(value(COMMAND)),
            value({}),
        ),
        "os.system",
    ),
    "result thrown away": (SYSTEM + b"0" + value({}), "os.system"),
    "in a dictionary beside weights": (b"}" + value("model") + SYSTEM + b"s", "os.system"),
    "as a key": (b"}" + SYSTEM + value(1) + b"s", "os.system"),
    "INST": (b"(" + value(COMMAND) + b"ios\nsystem\n", "os.system"),
    "OBJ": (b"(" + name("os", "system") + value(COMMAND) + b"o", "os.system"),
    "NEWOBJ": (name("subprocess", "Popen") + arguments(value(["touch", SENTINEL])) + b"\x81", "subprocess.Popen"),
    "NEWOBJ_EX": (
        name("subprocess", "Popen") + b")" + value({"args": ["touch", SENTINEL]}) + b"\x92",
        "subprocess.Popen",
    ),
    "STACK_GLOBAL": (value("os") + value("system") + b"\x93" + arguments(value(COMMAND)) + b"R", "os.system"),
    "STACK_GLOBAL out of the memo": (
        b"X\x06\0\0\0systemq\x070X\x02\0\0\0osq\x080" + b"h\x08h\x07\x93" + arguments(value(COMMAND)) + b"R",
        "os.system",
    ),
    "names joined by dots": (
        value("torch.nn") + value("modules.module.torch") + b"\x93",
        "torch.nn.modules.module.torch",
    ),
    "globals of a function": (
        value("torch.nn") + value("Module.__init__.__globals__") + b"\x93",
        "torch.nn.Module.__init__.__globals__",
    ),
    "a class that is mentioned only": (name("subprocess", "Popen"), "subprocess.Popen"),
    "BUILD on a function": (name("os", "system") + value({"a": 1}) + b"b", "os.system"),
    "copyreg": (
        call(name("copyreg", "_reconstructor"), name("subprocess", "Popen"), name("builtins", "object"), b"N"),
        "subprocess.Popen",
    ),
    "constructor with arguments": (LINEAR + arguments(value(1)) + b"\x81", "torch.nn.modules.linear.Linear"),
}

ODD: dict[str, tuple[bytes, str]] = {
    "getattr on a class": (call(name("builtins", "getattr"), LINEAR, value("__init__")), "builtins.getattr"),
    "numpy._reconstruct of another class": (
        call(name("numpy.core.multiarray", "_reconstruct"), name("torch", "Tensor"), value((0,)), value(b"b")),
        "numpy.core.multiarray._reconstruct",
    ),
    "numpy._reconstruct of a large array": (
        call(name("numpy.core.multiarray", "_reconstruct"), name("numpy", "ndarray"), value((2**40,)), value(b"b")),
        "numpy.core.multiarray._reconstruct",
    ),
    "numpy dtype of objects": (call(name("numpy", "dtype"), value("O8"), value(0), value(1)), "numpy.dtype"),
    "numpy scalar of objects": (
        call(name("numpy.core.multiarray", "scalar"), name("numpy", "ndarray"), value(b"1")),
        "numpy.core.multiarray.scalar",
    ),
    "codec that runs": (call(name("_codecs", "encode"), value("x"), value("zlib")), "_codecs.encode"),
    "OrderedDict of a number": (call(name("collections", "OrderedDict"), value(3)), "collections.OrderedDict"),
    "too many arguments": (call(name("builtins", "set"), value([]), value([])), "builtins.set"),
    "arguments that are no tuple": (name("builtins", "set") + value([]) + b"R", "builtins.set"),
    "call of a number": (value(3) + b")R", "REDUCE"),
    "object of a number": (value(3) + b")\x81", "3"),
    "BUILD on a list": (value([]) + value({}) + b"b", "BUILD"),
    "attribute that is no text": (LINEAR + b")\x81" + value({1: 2}) + b"b", "torch.nn.modules.linear.Linear"),
    "registry of extensions": (b"\x82\x01", "opcode EXT1"),
    "large registry": (b"\x84\xff\xff\xff\x7f", "opcode EXT4"),
    "text persistent id": (b"P0\n", "opcode PERSID"),
    "out-of-band buffer": (b"\x97", "opcode NEXT_BUFFER"),
    "bytearray of 8 EiB": (b"\x96" + struct.pack("<Q", 2**63 - 1), "bytearray8"),
    "text of 4 GiB": (b"X\xff\xff\xff\xff", "expected 4294967295 bytes"),
    "text of 8 EiB": (b"\x8d" + struct.pack("<Q", 2**63 - 1), "expected 9223372036854775807 bytes"),
    "text of negative length": (b"T\xff\xff\xff\xff", "byte count < 0"),
    "integer of 2 GiB": (b"\x8b\xff\xff\xff\x7f", "not enough data"),
    "integer of 100 bytes": (b"\x8a\x64" + b"\x7f" * 100, "integer of"),
    "memo of 4 billion": (b"Nr\xff\xff\xff\xff", "found NoneType"),
    "memo that was never set": (b"h\x07", "memo 7"),
    "empty stack": (b"0", "empty stack"),
    "missing mark": (b"Nt", "mark"),
    "odd items": (b"}(NNNu", "items are set"),
    "items on a class": (LINEAR + b"NNs", "items are set"),
    "items on an object": (LINEAR + b")\x81(NNu", "torch.nn.modules.linear.Linear"),
    "append to text": (value("a") + b"Na", "appended"),
    "list as a key": (b"}]Ns", "as a key"),
    "million opcodes": (b"N0" * 500_001 + b"N", "more than 1,000,000 opcodes"),
    "storage that is no tuple": (value("0") + b"Q", "persistent id"),
    "storage of another kind": (storage(kind=name("torch", "Tensor")), "torch.Tensor"),
    "storage larger than the file": (storage(numel=2**40), "found 16"),
    "storage of negative size": (storage(numel=-4), "persistent id"),
    "storage with a path for a name": (storage(key="../../etc/passwd"), "should have 16 bytes, found none"),
    "tensor beyond its storage": (
        tensor(storage(), value(0), value((1000, 1000)), value((1000, 1)), value(False), value({})),
        "reaches beyond the 4 stored values",
    ),
    "tensor of 2**40 times the same value": (
        tensor(storage(), value(0), value((2**40,)), value((0,)), value(False), value({})),
        "reaches beyond the 4 stored values",
    ),
    "tensor before its storage": (
        tensor(storage(), value(-4), value((2,)), value((1,)), value(False), value({})),
        "torch._utils._rebuild_tensor_v2",
    ),
    "tensor of negative stride": (
        tensor(storage(), value(3), value((2,)), value((-1,)), value(False), value({})),
        "torch._utils._rebuild_tensor_v2",
    ),
    "tensor of another type": (
        tensor(value(3), value(0), value((2,)), value((1,)), value(False), value({})),
        "torch._utils._rebuild_tensor_v2",
    ),
    "tensor with too few arguments": (tensor(storage()), "torch._utils._rebuild_tensor_v2"),
    "no opcodes": (b"", "empty stack"),
}


def refusal(path: Path, monkeypatch: pytest.MonkeyPatch) -> CheckpointError:
    """Reads `path` in its folder, where a sentinel would appear, and returns the error."""
    monkeypatch.chdir(path.parent)
    before = set(sys.modules)
    with pytest.raises(CheckpointError) as caught:
        read_legacy_checkpoint(path, 2)
    assert not (path.parent / SENTINEL).exists()
    imported = {module.split(".")[0] for module in set(sys.modules) - before}
    assert not imported & {"code", "runpy", "timeit", "cProfile", "webbrowser", "pip", "marshal", "someones"}
    assert caught.value.korean
    return caught.value


@pytest.mark.parametrize("container", ["zip", "stream", "bare pickle"])
@pytest.mark.parametrize("case", CALLS)
def test_calls_are_refused_by_name(case: str, container: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body, reason = CALLS[case]
    wrap = {"zip": lambda b: in_zip(program(b)), "stream": in_stream, "bare pickle": program}[container]
    (tmp_path / "x.pt").write_bytes(wrap(body))
    error = refusal(tmp_path / "x.pt", monkeypatch)
    assert reason in error.english
    assert reason in error.korean
    assert "Nothing in the file was run" in error.english


@pytest.mark.parametrize("case", ODD)
def test_tricks_are_refused(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body, reason = ODD[case]
    (tmp_path / "x.pt").write_bytes(in_zip(program(body)))
    assert reason in refusal(tmp_path / "x.pt", monkeypatch).english


def test_the_cases_bite(tmp_path: Path) -> None:
    """Python's own unpickler runs what is refused above: the cases are real."""
    working = ["os.system", "posix.system", "subprocess", "eval", "exec", "open", "INST", "OBJ"]
    working += ["STACK_GLOBAL", "STACK_GLOBAL out of the memo", "pickle.loads", "functools.partial"]
    lines = ["import os, pickle", f"path = {SENTINEL!r}"]
    for case in working:
        lines += [f"try: pickle.loads({program(CALLS[case][0])!r})", "except Exception: pass"]
        lines += [f"assert os.path.exists(path), {case!r}", "os.unlink(path)"]
    source = "\n".join(lines)
    done = subprocess.run(
        [sys.executable, "-c", source], check=False, capture_output=True, text=True, cwd=tmp_path, timeout=600
    )
    assert done.returncode == 0, done.stderr


def test_no_allowed_name_is_imported_or_kept() -> None:
    """Calls go to our own functions, never to those of the names."""
    assert {function.__module__ for function in CALLABLES.values()} == {"kobert_hf_emotion.legacy.policy"}


FILES: dict[str, tuple[bytes, str]] = {
    "second data.pkl": (in_zip(program(b"}"), ("b/data.pkl", program(SYSTEM))), "exactly one"),
    "same name twice": (in_zip(program(b"}"), ("a/data/0", b"x")), "same name twice"),
    "path out of the zip": (in_zip(program(b"}"), ("a/../../evil.py", b"x")), "evil.py"),
    "absolute path in the zip": (in_zip(program(b"}"), ("/etc/cron.d/evil", b"x")), "/etc/cron.d/evil"),
    "backslashes in the zip": (in_zip(program(b"}"), ("a\\..\\..\\evil", b"x")), "evil"),
    "zip bomb": (in_zip(program(b"}"), ("a/data/1", bytes(10**7)), method=zipfile.ZIP_DEFLATED), "compressed"),
    "odd byte order": (in_zip(program(b"}"), ("a/byteorder", b"middle")), "middle"),
    "large byte order": (in_zip(program(b"}"), ("a/byteorder", b"little" * 99)), "larger than"),
    "empty zip": (b"PK\x05\x06" + bytes(18), "exactly one"),
    "zip cut short": (in_zip(program(b"}"))[:-30], "BadZipFile"),
    "tar with a path upwards": (in_tar(member("../../evil.pt")), "../../evil.pt"),
    "tar with an absolute path": (in_tar(member("/etc/passwd")), "/etc/passwd"),
    "tar with a symbolic link": (in_tar(member("x.pt", tarfile.SYMTYPE, "/etc/passwd")), "x.pt"),
    "tar with a hard link": (in_tar(member("x.pt", tarfile.LNKTYPE, "../x")), "x.pt"),
    "tar with a device": (in_tar(member("x.pt", tarfile.CHRTYPE)), "x.pt"),
    "tar with a pipe": (in_tar(member("x.pt", tarfile.FIFOTYPE)), "x.pt"),
    "tar with many files": (in_tar(member("a.pt"), member("b.pt")), "a.pt, b.pt"),
    "tar of no checkpoint": (in_tar(member("a.pt")), "mark that was not set"),
}


@pytest.mark.parametrize("case", FILES)
def test_containers_are_refused(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content, reason = FILES[case]
    (tmp_path / "x.pt").write_bytes(content)
    assert reason in refusal(tmp_path / "x.pt", monkeypatch).english
    assert [path.name for path in tmp_path.iterdir()] == ["x.pt"]


def test_declared_size_beyond_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two entries of a central directory that share the same bytes, as in an overlapping zip bomb."""
    content = in_zip(program(b"}"), ("a/data/1", bytes(4096)), ("a/data/2", bytes(4096)))
    end = content.rindex(b"PK\x05\x06")
    first, last = (content.rindex(b"PK\x01\x02", 0, content.rindex(key)) for key in (b"a/data/1", b"a/data/2"))
    entry = bytearray(content[last:end])
    entry[42:46] = content[first + 42 : first + 46]
    entries = b"".join(bytes(entry).replace(b"data/2", b"data/" + bytes([c])) for c in b"23456789")
    directory = content[content.index(b"PK\x01\x02") : last] + entries
    tail = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 11, 11, len(directory), content.index(b"PK\x01\x02"), 0)
    (tmp_path / "x.pt").write_bytes(content[: content.index(b"PK\x01\x02")] + directory + tail)
    assert "more bytes than the file has" in refusal(tmp_path / "x.pt", monkeypatch).english


def test_changed_values_are_noticed(tiny: EmotionClassifier, saved: Save, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(tiny.state_dict())
    data = bytearray(path.read_bytes())
    data[data.index(tiny.classifier.weight.detach().numpy().tobytes())] ^= 1
    path.write_bytes(data)
    assert "CRC" in refusal(path, monkeypatch).english


def module_record(*children: bytes) -> bytes:
    names = b"".join(value(str(index)) + child for index, child in enumerate(children))
    state = b"}(" + value("_modules") + b"}(" + names + b"u" + b"u"
    return LINEAR + b")\x81" + state + b"b"


def test_modules_in_a_circle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body = LINEAR + b")\x81q\x01}(" + value("_modules") + b"}(" + value("self") + b"h\x01uub"
    (tmp_path / "x.pt").write_bytes(in_zip(program(body)))
    assert "nested too deeply" in refusal(tmp_path / "x.pt", monkeypatch).english


def test_modules_that_double(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Forty levels of a module that holds the one below twice: 2**40 modules in a few kilobytes."""
    body = module_record() + b"q\x000"
    for level in range(1, 40):
        body += module_record(*[b"h" + bytes([level - 1])] * 2) + b"q" + bytes([level]) + b"0"
    (tmp_path / "x.pt").write_bytes(in_zip(program(body + b"h\x27")))
    assert "more than 100,000 modules" in refusal(tmp_path / "x.pt", monkeypatch).english


def test_optimizer_that_doubles(tiny: EmotionClassifier, saved: Save, monkeypatch: pytest.MonkeyPatch) -> None:
    nested: list[object] = [1.0]
    for _ in range(8):
        nested = [nested] * 50
    optimizer = {"state": {0: {"step": nested}}, "param_groups": [{"params": [0]}]}
    path = saved({"model": tiny.state_dict(), "optimizer": optimizer})
    assert "nested or large" in refusal(path, monkeypatch).english


def test_state_dict_of_one_tensor_many_times(
    tiny: EmotionClassifier, saved: Save, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand layers that are all the same bytes would make a model far larger than its file."""
    state = dict(tiny.state_dict())
    layer = {name: value for name, value in state.items() if ".layer.0." in name}
    for index in range(1000):
        state |= {name.replace(".layer.0.", f".layer.{index}."): value for name, value in layer.items()}
    assert "more values than the file" in refusal(saved(state), monkeypatch).english


def test_settings_out_of_range(saved: Save, monkeypatch: pytest.MonkeyPatch) -> None:
    from transformers import BertConfig, BertModel

    from kobert_hf_emotion.notebook import BERTClassifier

    for field, content in (("num_attention_heads", 2**40), ("layer_norm_eps", -1.0), ("hidden_act", "evil")):
        whole = BERTClassifier(BertModel(BertConfig(**SIZES)), 8, 7)
        whole.bert.config.__dict__[field] = content
        assert field in refusal(saved(whole), monkeypatch).english


@pytest.mark.slow
def test_memory_stays_bounded(tmp_path: Path) -> None:
    """All bombs in one process that may take 1 GiB more than torch itself."""
    for index, (body, _) in enumerate([*ODD.values(), *CALLS.values()]):
        (tmp_path / f"{index}.pt").write_bytes(in_zip(program(body)))
    nest = b"(" * 900_000
    (tmp_path / "deep.pt").write_bytes(in_zip(program(b")" + b"\x85" * 900_000 + b"q\x00" + b"}h\x00Ns")))
    (tmp_path / "marks.pt").write_bytes(in_zip(program(nest)))
    (tmp_path / "dicts.pt").write_bytes(in_zip(program(b"}" * 990_000)))
    source = f"""
import pathlib, resource
from kobert_hf_emotion.errors import CheckpointError
from kobert_hf_emotion.legacy import import_legacy_checkpoint
used = int(pathlib.Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 2**30, used + 2**30))
count = 0
for path in pathlib.Path({str(tmp_path)!r}).glob("*.pt"):
    try:
        import_legacy_checkpoint(path, 2)
    except CheckpointError as error:
        assert "MemoryError" not in str(error), path
        count += 1
print(count)
"""
    done = subprocess.run([sys.executable, "-c", source], check=False, capture_output=True, text=True, timeout=600)
    assert done.stdout.split() == [str(len(ODD) + len(CALLS) + 3)], done.stderr[-2000:]


# Fuzzing: only our own error comes out, whatever the bytes are.


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[bytes], list[bytes]]:
    """A folder, whole files of both containers, and the pickles of zips."""
    folder = tmp_path_factory.mktemp("fuzz")
    config = EmotionConfig(**{**SIZES, "num_hidden_layers": 1})
    model = EmotionClassifier(config)
    content = {"model": model.state_dict(), "optimizer": torch.optim.AdamW(model.parameters()).state_dict()}
    files, pickles = [], []
    for item in (content, model):
        for zipped in (True, False):
            torch.save(item, folder / "x.pt", _use_new_zipfile_serialization=zipped)
            files.append((folder / "x.pt").read_bytes())
            if zipped:
                with zipfile.ZipFile(folder / "x.pt") as archive:
                    pickles.append(archive.read("x/data.pkl"))
    return folder, files, pickles


Mutation = tuple[int, int, bytes]
OPCODES = b"()N]}02.tuaesdlbRocqhQKXU\x81\x85\x86\x87\x88\x93\x94\x8c\x01\x00"
MUTATIONS = st.lists(
    st.tuples(st.integers(0, 2**16), st.sampled_from([0, 1, 1, 4, 64, 4000]), st.binary(max_size=8)),
    min_size=1,
    max_size=6,
)
QUICK = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


def mutate(data: bytes, mutations: list[Mutation]) -> bytes:
    for position, removed, inserted in mutations:
        start = position % (len(data) + 1)
        data = data[:start] + inserted + data[start + removed :]
    return data


def only_our_error(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    message = "read"
    try:
        import_legacy_checkpoint(path, 2)
    except CheckpointError as error:
        message = str(error)  # can be made, whatever text it quotes
    assert 0 < len(message) < 10_000


@QUICK
@given(which=st.integers(0, 3), mutations=MUTATIONS)
def test_fuzz_files(corpus: tuple[Path, list[bytes], list[bytes]], which: int, mutations: list[Mutation]) -> None:
    folder, files, _ = corpus
    only_our_error(folder / "fuzzed.pt", mutate(files[which], mutations))


@pytest.mark.slow
@QUICK
@given(which=st.integers(0, 1), mutations=MUTATIONS)
def test_fuzz_pickles(corpus: tuple[Path, list[bytes], list[bytes]], which: int, mutations: list[Mutation]) -> None:
    folder, files, pickles = corpus
    (folder / "x.pt").write_bytes(files[2 * which])
    changed = mutate(pickles[which], mutations)
    path = rezip(folder / "x.pt", lambda entry, content: changed if entry.endswith("data.pkl") else content)
    only_our_error(path, path.read_bytes())


@QUICK
@given(
    body=st.lists(st.sampled_from([*b"()N]}02.tuaesdlbRocqhQKXU\x81\x85\x86\x87\x88\x93\x94\x8c\x01\x00"]), max_size=60)
)
def test_fuzz_opcodes(corpus: tuple[Path, list[bytes], list[bytes]], body: list[int]) -> None:
    only_our_error(corpus[0] / "fuzzed.pt", in_zip(program(bytes(body))))
