"""`pipeline campaign` as a founder meets it: over served processes from draft to export, and its refusals."""

import csv
import hashlib
import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

from tests.support.served import Served

IDEA = "A mobile app that helps households waste less food by tracking expiry dates and suggesting recipes"
BROWSER = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Accept": "text/html",
    "Accept-Language": "en",
}


def pipeline(*arguments: str, state: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command offline."""
    settings = {"PIPELINE_OFFLINE": "1", **environment}
    if state is not None:
        settings["PIPELINE_STATE_DIR"] = str(state)
    return subprocess.run(
        [sys.executable, "-m", "pipeline.cli", *arguments],
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def drafted(served: Served, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A finished run on the served processes; its name."""
    out = tmp_path_factory.mktemp("drafted") / "out"
    done = pipeline("run", IDEA, "--mvp", "none", "--out", str(out), "--json", "--target", served.target)
    assert done.returncode == 0, done.stderr
    return str(json.loads(done.stdout.splitlines()[-1])["run"])


def test_a_campaign_from_draft_to_export(served: Served, drafted: str, tmp_path: Path) -> None:
    """Publish, be visited, sign somebody up, read, pause, resume, end, export: each command says what happened."""

    def campaign(command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        done = pipeline("campaign", command, drafted, *arguments, "--target", served.target)
        assert done.returncode == 0, f"{command}: {done.stderr}{done.stdout}"
        return done

    shown = campaign("show").stdout
    assert "What the money can show" in shown
    assert "draft" in shown
    assert "none was sent" in campaign("publish", "--dry-run").stdout
    published = json.loads(campaign("publish", "--json").stdout)
    assert published["status"] == "CAMPAIGN_STATUS_RUNNING"
    page = published["page_url"]
    html = get(page)
    assert visitors_and_signups(campaign("status", "--json").stdout) == (1, 0)
    sign_up(page, html)  # after a second that a person takes, and a program does not: the command took it
    assert visitors_and_signups(campaign("status", "--json").stdout) == (1, 1)
    assert "so far; the test goes on" in campaign("read").stdout
    assert "paused" in campaign("pause").stdout
    assert "<form" not in get(page, status=503)
    assert "running" in campaign("resume").stdout
    assert "completed" in campaign("stop", "--yes").stdout
    folder = tmp_path / "export"
    campaign("export", "--out", str(folder), "--include-signups")
    assert hashlib.sha256((folder / "plan.json").read_bytes()).hexdigest() == published["plan_sha256"]
    (person,) = csv.DictReader((folder / "signups.csv").open(newline=""))
    assert person["email"] == "ada@example.org"
    assert (folder / "signups.csv").stat().st_mode & 0o077 == 0
    nobody = pipeline("campaign", "show", "runs/nothing", "--target", served.target)
    assert nobody.returncode == 2
    assert "runs/nothing/campaign" in nobody.stderr
    again = pipeline("campaign", "publish", drafted, "--target", served.target)
    assert again.returncode == 2
    assert "run the idea again" in again.stderr


@pytest.mark.parametrize(
    ("arguments", "mend"),
    [
        (["show"], "no campaign yet"),
        (["publish", "runs/nothing", "--budget", "nan"], "--budget"),
        (["export", "runs/nothing", "--out", "."], "--out"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_bad_input_is_refused_in_one_sentence(arguments: list[str], mend: str, tmp_path: Path) -> None:
    """Exit code 2 and the mend, embedded as well."""
    done = pipeline("campaign", *arguments, state=tmp_path / "state")
    assert done.returncode == 2, done.stdout + done.stderr
    assert mend in done.stderr
    assert "Traceback" not in done.stderr


def visitors_and_signups(printed: str) -> tuple[int, int]:
    """Of both pages together, as a command printed the campaign."""
    counts = json.loads(printed)["counts"]
    return sum(int(c.get("visitors", 0)) for c in counts), sum(int(c.get("signups", 0)) for c in counts)


def get(url: str, status: int = 200) -> str:
    """The page as a browser asks for it."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=BROWSER), timeout=10) as answer:
            got, text = answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        got, text = refused.code, refused.read().decode()
    assert got == status
    return str(text)


def sign_up(page: str, html: str) -> None:
    """Fill the page's own form in and send it."""
    action = re.search(r'<form[^>]*action="([^"]+)"', html)
    assert action is not None
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', html))
    fields.update(email="ada@example.org", consent="yes", website="")
    request = urllib.request.Request(
        urllib.parse.urljoin(page, action.group(1)), urllib.parse.urlencode(fields).encode(), BROWSER
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 200
