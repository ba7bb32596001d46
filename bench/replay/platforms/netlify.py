"""Netlify's API, replayed: sites with names unique among all, deploys by digest, processed between two looks.

Built from Netlify's public documents, as no recording was at hand (services/campaign/providers/netlify.py names them).
"""

from __future__ import annotations

import hashlib
from typing import Any

from aiohttp import web

from bench.replay.platforms.stage import PlatformReplay, bearer, body_of

TOKEN = "nfp_replayed-2f6c"
# Looks at a deploy while it is processed.
LOOKS = 2


class NetlifyReplay(PlatformReplay):
    """One account. `taken`: names of sites that belong to others."""

    def __init__(self, *, taken: tuple[str, ...] = ()) -> None:
        super().__init__()
        self.taken = set(taken)
        self.sites: dict[str, dict[str, Any]] = {}
        self.deploys: dict[str, dict[str, Any]] = {}
        # Files by their SHA-1, of all deploys: what is here is not required again.
        self.blobs: dict[str, bytes] = {}
        self._numbers = 0

    def served(self, site: str) -> dict[str, bytes]:
        """The files of a site's newest ready deploy, by path."""
        ready = [d for d in self.deploys.values() if d["site_id"] == site and d["state"] == "ready"]
        return {path: self.blobs[sha] for path, sha in ready[-1]["files"].items()} if ready else {}

    def routes(self) -> list[web.RouteDef]:
        routes = [
            web.get("/sites", self._list_sites),
            web.post("/sites", self._create_site),
            web.delete("/sites/{site}", self._delete_site),
            web.get("/sites/{site}/deploys", self._list_deploys),
            web.post("/sites/{site}/deploys", self._create_deploy),
            web.get("/deploys/{deploy}", self._show_deploy),
            web.put("/deploys/{deploy}/files/{path:.+}", self._upload),
            web.post("/{team}/sites", self._create_site),
        ]
        return [web.RouteDef(r.method, r.path, self._opened(r.handler), r.kwargs) for r in routes]

    def refusal(self, status: int) -> web.Response:
        headers = {"Retry-After": "2"} if status == 429 else {}
        return web.json_response({"code": status, "message": "refused"}, status=status, headers=headers)

    def _opened(self, handler: Any) -> Any:
        async def run(request: web.Request) -> web.StreamResponse:
            if bearer(request) != TOKEN:
                return web.json_response({"code": 401, "message": "Access Denied"}, status=401)
            response: web.StreamResponse = await handler(request)
            return response

        return run

    def _number(self, what: str) -> str:
        self._numbers += 1
        return hashlib.sha1(f"{what}{self._numbers}".encode(), usedforsecurity=False).hexdigest()[:24]

    # ------------------------------------------------------------------------------------ sites

    async def _list_sites(self, request: web.Request) -> web.Response:
        wanted = request.query.get("name", "")
        return web.json_response([site for site in self.sites.values() if wanted in site["name"]])

    async def _create_site(self, request: web.Request) -> web.Response:
        name = (await body_of(request)).get("name", "")
        if name in self.taken or any(site["name"] == name for site in self.sites.values()):
            return web.json_response({"errors": {"subdomain": ["must be unique"]}}, status=422)
        self.made["site"] += 1
        site = {
            "id": self._number("site"),
            "name": name,
            "state": "current",
            "url": f"http://{name}.netlify.app",
            "ssl_url": f"https://{name}.netlify.app",
        }
        self.sites[site["id"]] = site
        return web.json_response(site, status=201)

    async def _delete_site(self, request: web.Request) -> web.Response:
        site = self.sites.pop(request.match_info["site"], None)
        return web.Response(status=204) if site else _not_found()

    # ------------------------------------------------------------------------------------ deploys

    async def _list_deploys(self, request: web.Request) -> web.Response:
        site = request.match_info["site"]
        if site not in self.sites:
            return _not_found()
        newest = [d for d in reversed(self.deploys.values()) if d["site_id"] == site]
        return web.json_response([_shown(d) for d in newest])

    async def _create_deploy(self, request: web.Request) -> web.Response:
        site, body = request.match_info["site"], await body_of(request)
        files = body.get("files")
        if site not in self.sites:
            return _not_found()
        if not isinstance(files, dict) or not all(path.startswith("/") for path in files):
            return web.json_response({"code": 422, "message": "files is no mapping of paths"}, status=422)
        self.made["deploy"] += 1
        deploy: dict[str, Any] = {
            "id": self._number("deploy"),
            "site_id": site,
            "title": body.get("title"),
            "files": files,
            "required": [sha for sha in dict.fromkeys(files.values()) if sha not in self.blobs],
            "looks": 0,
        }
        deploy["state"] = "uploading" if deploy["required"] else "processing"
        self.deploys[deploy["id"]] = deploy
        return web.json_response(_shown(deploy))

    async def _show_deploy(self, request: web.Request) -> web.Response:
        deploy = self.deploys.get(request.match_info["deploy"])
        if deploy is None:
            return _not_found()
        if deploy["state"] == "processing":
            deploy["looks"] += 1
            if deploy["looks"] >= LOOKS:
                deploy["state"] = "ready"
        return web.json_response(_shown(deploy))

    async def _upload(self, request: web.Request) -> web.Response:
        deploy = self.deploys.get(request.match_info["deploy"])
        path, content = f"/{request.match_info['path']}", await request.read()
        sha = hashlib.sha1(content, usedforsecurity=False).hexdigest()
        if deploy is None or deploy["files"].get(path) != sha:
            return _not_found()
        self.blobs[sha] = content
        deploy["required"] = [wanted for wanted in deploy["required"] if wanted != sha]
        if not deploy["required"] and deploy["state"] == "uploading":
            deploy["state"] = "processing"
        return web.json_response({"id": path, "path": path, "sha": sha, "size": len(content)})


def _shown(deploy: dict[str, Any]) -> dict[str, Any]:
    return {key: deploy[key] for key in ("id", "site_id", "state", "title", "required")}


def _not_found() -> web.Response:
    return web.json_response({"code": 404, "message": "Not Found"}, status=404)
