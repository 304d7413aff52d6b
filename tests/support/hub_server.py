"""A Hub on loopback: the part of the Hub's protocol that pushing and pulling a model needs, kept in memory.

Clients run in processes of their own (`HubClient`), because huggingface_hub reads its endpoint when it is imported
and the tests' own process is offline.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from code_process import CodeProcess

WRITE_TOKEN, READ_TOKEN, OTHER_TOKEN = "hf_write", "hf_read", "hf_other"
_TOKENS = {WRITE_TOKEN: ("tester", "write"), READ_TOKEN: ("tester", "read"), OTHER_TOKEN: ("stranger", "write")}
_LFS_SUFFIXES = (".safetensors", ".bin", ".pt", ".tar", ".model", ".png")
_DATE = "2026-01-01T00:00:00.000Z"
_REPO = r"(?P<repo>[^/]+/[^/]+)"


@dataclass(frozen=True)
class Entry:
    """A file of a commit."""

    content: bytes
    lfs: bool

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @property
    def oid(self) -> str:
        """The git blob id, of the pointer file for LFS."""
        text = self.content
        if self.lfs:
            text = f"version https://git-lfs.github.com/spec/v1\noid sha256:{self.sha256}\nsize {len(text)}\n".encode()
        return hashlib.sha1(b"blob %d\0" % len(text) + text).hexdigest()  # noqa: S324 - git's own hash

    def describe(self, path: str) -> dict[str, Any]:
        lfs = {"lfs": {"oid": self.sha256, "size": len(self.content), "pointerSize": 134}} if self.lfs else {}
        return {"type": "file", "path": path, "size": len(self.content), "oid": self.oid, **lfs}


@dataclass(frozen=True)
class Commit:
    oid: str
    title: str
    files: dict[str, Entry]


@dataclass
class Repo:
    private: bool
    branches: dict[str, list[Commit]] = field(default_factory=dict)

    def add(self, branch: str, title: str, files: dict[str, Entry]) -> Commit:
        history = self.branches.setdefault(branch, [])
        content = [title, len(history), sorted((path, entry.oid) for path, entry in files.items())]
        commit = Commit(hashlib.sha1(json.dumps(content).encode()).hexdigest(), title, files)  # noqa: S324
        history.append(commit)
        return commit

    def find(self, revision: str) -> Commit | None:
        if revision in self.branches:
            return self.branches[revision][-1]
        commits = [commit for history in self.branches.values() for commit in history]
        return next((commit for commit in commits if commit.oid == revision), None)


class Hub:
    """What the server keeps, and the faults it has been told to make."""

    def __init__(self) -> None:
        self.repos: dict[str, Repo] = {}
        self.objects: dict[str, bytes] = {}
        self.requests: list[str] = []
        self.cut_uploads = 0
        """So many uploads are cut off in the middle."""
        self.lose_answers = 0
        """So many commits are made and not answered."""
        self.lock = threading.RLock()
        self.url = ""

    def publish(self, repo: str, folder: Path) -> None:
        """Puts the files of a folder into a new public repository."""
        files = {path.name: Entry(path.read_bytes(), path.name.endswith(_LFS_SUFFIXES)) for path in folder.iterdir()}
        self.repos[repo] = Repo(private=False)
        self.repos[repo].add("main", "initial commit", files)

    def commits(self, repo: str, branch: str = "main") -> list[Commit]:
        """The commits of a branch that clients made: the first one is the server's own."""
        return self.repos[repo].branches[branch][1:]

    def files(self, repo: str, branch: str = "main") -> dict[str, bytes]:
        files = self.repos[repo].branches[branch][-1].files
        return {path: entry.content for path, entry in files.items() if path != ".gitattributes"}


class _Refused(Exception):  # noqa: N818 - an answer, not an error of ours
    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(status, code, message)
        self.status, self.code, self.message = status, code, message


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
        pass

    def do_GET(self) -> None:
        self._dispatch("GET")

    def do_HEAD(self) -> None:
        self._dispatch("GET")

    def do_POST(self) -> None:
        self._dispatch("POST")

    def do_PUT(self) -> None:
        self._dispatch("PUT")

    def do_DELETE(self) -> None:
        self._dispatch("DELETE")

    def _dispatch(self, method: str) -> None:
        address = urlsplit(self.path)
        self.query = parse_qs(address.query)
        self.hub.requests.append(f"{self.command} {address.path}")
        try:
            action, groups = _route(method, address.path)
            action(self, **groups)
        except _Refused as refusal:
            self._body()
            headers = {"X-Error-Code": refusal.code, "X-Error-Message": refusal.message}
            self._answer({"error": refusal.message}, refusal.status, headers)

    def _body(self) -> bytes:
        """Reads what is left of the request's body."""
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            del self.headers["Transfer-Encoding"]
            parts = []
            while size := int(self.rfile.readline(), 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)
        size = int(self.headers.get("Content-Length", 0))
        del self.headers["Content-Length"]
        return self.rfile.read(size)

    def _json(self) -> Any:
        return json.loads(self._body() or b"{}")

    def _answer(
        self, content: Any, status: int = 200, headers: dict[str, str] | None = None, raw: bytes | None = None
    ) -> None:
        body = json.dumps(content).encode() if raw is None else raw
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _user(self) -> tuple[str, str] | None:
        """Returns name and role of whoever asks; None without a token."""
        header = self.headers.get("Authorization")
        if header is None:
            return None
        user = _TOKENS.get(header.removeprefix("Bearer "))
        if user is None:
            raise _Refused(401, "", "Invalid credentials in Authorization header")
        return user

    def _writer(self, namespace: str) -> None:
        user = self._user()
        if user is None:
            raise _Refused(401, "", "Invalid username or password.")
        if user != (namespace, "write"):
            raise _Refused(403, "", f"You don't have the rights to write to {namespace}")

    def _repo(self, name: str, write: bool = False) -> Repo:
        user, repo = self._user(), self.hub.repos.get(name)
        if repo is None or (repo.private and (user is None or user[0] != name.split("/", maxsplit=1)[0])):
            raise _Refused(401 if user is None else 404, "RepoNotFound", "Repository not found")
        if write:
            self._writer(name.split("/", maxsplit=1)[0])
        return repo

    def _commit(self, repo: Repo, revision: str) -> Commit:
        commit = repo.find(revision)
        if commit is None:
            raise _Refused(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        return commit

    def whoami(self) -> None:
        user = self._user()
        if user is None:
            raise _Refused(401, "", "Invalid username or password.")
        token = {"role": user[1], "displayName": "test"}
        self._answer({"type": "user", "name": user[0], "id": "1", "orgs": [], "auth": {"accessToken": token}})

    def create_repo(self) -> None:
        wanted = self._json()
        user = self._user()
        namespace = wanted.get("organization") or (user or ("nobody", ""))[0]
        self._writer(namespace)
        name = f"{namespace}/{wanted['name']}"
        with self.hub.lock:
            found = name in self.hub.repos
            if not found:
                repo = self.hub.repos[name] = Repo(wanted.get("visibility") == "private")
                attributes = "".join(f"*{suffix} filter=lfs diff=lfs merge=lfs -text\n" for suffix in _LFS_SUFFIXES)
                repo.add("main", "initial commit", {".gitattributes": Entry(attributes.encode(), lfs=False)})
        self._answer({"url": f"{self.hub.url}/{name}", "name": name, "id": "1"}, 409 if found else 200)

    def delete_repo(self) -> None:
        wanted = self._json()
        name = f"{wanted.get('organization') or self._user()[0]}/{wanted['name']}"  # type: ignore[index]
        self._repo(name, write=True)
        del self.hub.repos[name]
        self._answer({})

    def create_branch(self, repo: str, revision: str) -> None:
        found = self._repo(repo, write=True)
        if revision in found.branches:
            raise _Refused(409, "", "Reference already exists")
        start = self._commit(found, self._json().get("startingPoint", "main"))
        found.branches[revision] = [start]
        self._answer({})

    def validate_yaml(self) -> None:
        import yaml

        try:
            metadata = yaml.safe_load(self._json()["content"].split("---")[1])
        except (IndexError, yaml.YAMLError) as error:
            self._answer({"errors": [{"message": str(error)}], "warnings": []}, 400)
            return
        problems = [{"message": f"no {key}"} for key in ("language", "pipeline_tag") if key not in metadata]
        self._answer({"errors": [], "warnings": problems})

    def info(self, repo: str, revision: str = "main") -> None:
        found = self._repo(repo)
        commit = self._commit(found, revision)
        files = [{"rfilename": path} for path in commit.files]
        dates = {"lastModified": _DATE, "createdAt": _DATE}
        self._answer(
            {"_id": "0", "id": repo, "modelId": repo, "sha": commit.oid, "private": found.private, "tags": []}
            | {"downloads": 0, "likes": 0, "gated": False, "disabled": False, "siblings": files}
            | dates
        )

    def refs(self, repo: str) -> None:
        branches = [
            {"name": name, "ref": f"refs/heads/{name}", "targetCommit": history[-1].oid}
            for name, history in self._repo(repo).branches.items()
        ]
        self._answer({"branches": branches, "tags": [], "converts": []})

    def tree(self, repo: str, revision: str, folder: str = "") -> None:
        commit = self._commit(self._repo(repo), revision)
        inside = {path: entry for path, entry in commit.files.items() if not folder or path.startswith(f"{folder}/")}
        if folder and not inside:
            raise _Refused(404, "EntryNotFound", f"{folder} does not exist on {revision}")
        self._answer([entry.describe(path) for path, entry in inside.items()])

    def preupload(self, repo: str, revision: str) -> None:
        files = self._commit(self._repo(repo, write=True), revision).files
        self._answer(
            {
                "files": [
                    {
                        "path": file["path"],
                        "uploadMode": "lfs" if file["path"].endswith(_LFS_SUFFIXES) else "regular",
                        "shouldIgnore": False,
                        "oid": self._known_oid(files.get(file["path"])),
                    }
                    for file in self._json()["files"]
                ]
            }
        )

    @staticmethod
    def _known_oid(entry: Entry | None) -> str | None:
        if entry is None:
            return None
        return entry.sha256 if entry.lfs else entry.oid

    def lfs_batch(self, repo: str) -> None:
        self._repo(repo, write=True)
        objects = []
        for wanted in self._json()["objects"]:
            upload = {"upload": {"href": f"{self.hub.url}/lfs/{wanted['oid']}", "header": {}}}
            known = wanted["oid"] in self.hub.objects
            objects.append({"oid": wanted["oid"], "size": wanted["size"], **({} if known else {"actions": upload})})
        self._answer({"transfer": "basic", "objects": objects})

    def lfs_upload(self, oid: str) -> None:
        with self.hub.lock:
            cut = self.hub.cut_uploads > 0
            self.hub.cut_uploads -= cut
        if cut:
            self.rfile.read(int(self.headers["Content-Length"]) // 2)
            return self._hang_up()
        body = self._body()
        if hashlib.sha256(body).hexdigest() != oid:
            raise _Refused(400, "", "the content does not have the hash that was announced")
        self.hub.objects[oid] = body
        return self._answer({})

    def _hang_up(self) -> None:
        self.close_connection = True
        self.connection.close()

    def commit(self, repo: str, revision: str) -> None:
        found = self._repo(repo, write=True)
        operations = [json.loads(line) for line in self._body().splitlines() if line.strip()]
        with self.hub.lock:
            files, title = dict(self._commit(found, revision).files), ""
            for key, value in [(operation["key"], operation["value"]) for operation in operations]:
                if key == "header":
                    title = value["summary"]
                elif key == "file":
                    files[value["path"]] = Entry(base64.b64decode(value["content"]), lfs=False)
                elif key == "lfsFile" and value["oid"] in self.hub.objects:
                    files[value["path"]] = Entry(self.hub.objects[value["oid"]], lfs=True)
                elif key == "deletedFile":
                    files.pop(value["path"], None)
                else:
                    raise _Refused(400, "", f"cannot do {key}: {value}")
            commit = found.add(revision, title, files)
            lost = self.hub.lose_answers > 0
            self.hub.lose_answers -= lost
        if lost:
            return self._hang_up()
        url = f"{self.hub.url}/{repo}/commit/{commit.oid}"
        return self._answer({"success": True, "commitOid": commit.oid, "commitUrl": url, "hookOutput": ""})

    def resolve(self, repo: str, revision: str, path: str) -> None:
        commit = self._commit(self._repo(repo), revision)
        entry = commit.files.get(path)
        headers = {"X-Repo-Commit": commit.oid}
        if entry is None:
            missing = {"X-Error-Code": "EntryNotFound", "X-Error-Message": "Entry not found"}
            return self._answer({"error": "Entry not found"}, 404, headers | missing)
        headers |= {"ETag": f'"{self._known_oid(entry)}"', "Accept-Ranges": "bytes"}
        headers["Content-Type"] = "application/octet-stream"
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if asked is None:
            return self._answer(None, 200, headers, entry.content)
        start, end = int(asked[1]), int(asked[2] or len(entry.content) - 1)
        part = entry.content[start : end + 1]
        headers["Content-Range"] = f"bytes {start}-{start + len(part) - 1}/{len(entry.content)}"
        return self._answer(None, 206, headers, part)


_API = rf"/api/models/{_REPO}"
_ROUTES = [
    ("GET", r"/api/whoami-v2", _Handler.whoami),
    ("POST", r"/api/repos/create", _Handler.create_repo),
    ("DELETE", r"/api/repos/delete", _Handler.delete_repo),
    ("POST", r"/api/validate-yaml", _Handler.validate_yaml),
    ("GET", rf"{_API}(/revision/(?P<revision>[^/]+))?", _Handler.info),
    ("GET", rf"{_API}/refs", _Handler.refs),
    ("GET", rf"{_API}/tree/(?P<revision>[^/]+)(/(?P<folder>.+))?", _Handler.tree),
    ("POST", rf"{_API}/branch/(?P<revision>[^/]+)", _Handler.create_branch),
    ("POST", rf"{_API}/preupload/(?P<revision>[^/]+)", _Handler.preupload),
    ("POST", rf"{_API}/commit/(?P<revision>[^/]+)", _Handler.commit),
    ("POST", rf"/{_REPO}\.git/info/lfs/objects/batch", _Handler.lfs_batch),
    ("PUT", r"/lfs/(?P<oid>[0-9a-f]{64})", _Handler.lfs_upload),
    ("GET", rf"/{_REPO}/resolve/(?P<revision>[^/]+)/(?P<path>.+)", _Handler.resolve),
]


def _route(method: str, path: str) -> tuple[Callable[..., None], dict[str, str]]:
    for verb, pattern, action in _ROUTES:
        if verb == method and (match := re.fullmatch(pattern, path)):
            return action, {name: unquote(value) for name, value in match.groupdict().items() if value}
    raise _Refused(404, "", f"no route for {method} {path}")


@contextmanager
def running_hub() -> Iterator[Hub]:
    """Serves a new, empty Hub on a free port until the block ends."""
    hub = Hub()
    handler = type("Handler", (_Handler,), {"hub": hub})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        hub.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield hub
        finally:
            server.shutdown()
            thread.join()


def client_environment(hub: Hub, home: Path, token: str | None = None) -> dict[str, str]:
    """Returns the environment of a process for which `hub` is the only Hub there is."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "TRANSFORMERS_"))}
    environment |= {"HF_ENDPOINT": hub.url, "HF_HOME": str(home), "HF_HUB_DISABLE_XET": "1", "no_proxy": "127.0.0.1"}
    environment |= {"HF_HUB_DISABLE_PROGRESS_BARS": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "OMP_NUM_THREADS": "1"}
    return environment if token is None else environment | {"HF_TOKEN": token}


class HubClient(CodeProcess):
    """A process with a Hub of its own choosing, which does not wait between two attempts."""

    def __init__(self, hub: Hub, home: Path, token: str | None = None) -> None:
        super().__init__("import time; time.sleep = lambda seconds: None", home, client_environment(hub, home, token))
