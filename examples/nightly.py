"""Explain a network's mistakes, every night: `python nightly.py PHOTOGRAPHS PAGE.html`.

PHOTOGRAPHS has a folder for each class, named after it: `goose/1.jpg`. Each photograph is classified; of one that the
network takes for something else, two masks say why: of what speaks for its answer and against the right one, and of the
reverse. All of them are on one page, the surest first. `PAGE.json` keeps what is known: the next run asks only for
what is new.
"""

import base64
import hashlib
import io
import json
import sys
from html import escape
from pathlib import Path

from extremal_client import Client, InvalidRequest, JobFailed

AREA, WIDTH = 0.1, 360  # the share of the image that a mask keeps, and pixels of a picture on the page
AT_ONCE = 16  # photographs whose jobs are in the queue
PAGE = """<!doctype html><meta charset="utf-8"><title>{title}</title>
<style>body {{ font: 1rem system-ui; margin: 2rem }} figure {{ display: inline-block; margin: 0 1rem 1rem 0 }}</style>
<h1>{title}</h1>
{mistakes}"""
MISTAKE = "<h2>{name}: {seen} ({probability:.0%}), and not {right}</h2>\n{pictures}\n"
PICTURE = '<figure><img src="{url}" alt=""><figcaption>{caption}</figcaption></figure>'


def nightly(client: Client, photographs: Path, page: Path, model: str | None = None, **params) -> None:
    """Write the page of a network's mistakes. `params` are further ones of the explanations."""
    asked = params if model is None else params | {"model": model}
    state = page.with_suffix(".json")
    paths = {f"{digest(path)} {path.parent.name} {model}": path for path in sorted(photographs.glob("*/*.jpg"))}
    known = json.loads(state.read_text()) if state.exists() else {}
    new = [key for key in paths if key not in known]
    for at in range(0, len(new), AT_ONCE):
        some = new[at : at + AT_ONCE]
        posted = {key: usable(paths[key], begun, client, key, paths[key], model, asked) for key in some}
        ended = {key: usable(paths[key], finished, client, found) for key, found in posted.items() if found}
        known |= {key: found for key, found in ended.items() if found}
        keep(state, json.dumps(known))
    seen = [known[key] for key in paths if key in known]
    wrong = sorted((one for one in seen if one["seen"] != one["right"]), key=lambda one: -one["probability"])
    title = f"{len(wrong)} of {len(seen)} photographs are taken for something else"
    keep(page, PAGE.format(title=title, mistakes="".join(map(shown, wrong))))
    print(f"{title}; {len(new)} are new")


def keep(path: Path, text: str) -> None:
    """Write a file as a whole: whoever reads it, or stops this, never has a half."""
    part = path.with_name(f"{path.name}.part")
    part.write_text(text)
    part.replace(path)


def usable(path: Path, call, *given) -> dict | None:
    """Return what a call does; of a photograph that can't be explained, say so and return None."""
    try:
        return call(*given)
    except (InvalidRequest, JobFailed) as error:
        print(f"{path}: {error}", file=sys.stderr)
        return None


def begun(client: Client, key: str, path: Path, model: str | None, asked: dict) -> dict:
    """Classify a photograph, and post the jobs of a mistake; the same again makes no second ones."""
    top = client.classify(path, top=1, **({} if model is None else {"model": model})).classes[0]
    right = path.parent.name
    found = {"name": path.name, "right": right, "seen": top.label, "probability": top.probability}
    found["jobs"] = {}
    for one, other in [] if top.label == right else [(top.label, right), (right, top.label)]:
        params = asked | {"target": {"class": one, "instead_of": other}, "areas": [AREA]}
        name = hashlib.sha256(f"{key} {json.dumps(params)}".encode()).hexdigest()
        found["jobs"][f"For {one}, against {other}"] = client.submit(
            "extremal", path, idempotency_key=name, **params
        ).id
    return found


def finished(client: Client, found: dict) -> dict:
    """Wait for the jobs of a photograph and add their pictures, small and as text."""
    results = {said: client.result(job, progress=False) for said, job in found["jobs"].items()}
    found["pictures"] = {said: small(one.overlays[AREA].image()) for said, one in results.items()}
    return found


def small(picture) -> str:
    """Return a picture as a data URL."""
    picture = picture.convert("RGB")
    picture.thumbnail((WIDTH, WIDTH))
    file = io.BytesIO()
    picture.save(file, "JPEG")
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"


def shown(found: dict) -> str:
    """Return a mistake as HTML."""
    pictures = (PICTURE.format(url=url, caption=escape(said)) for said, url in found["pictures"].items())
    said = {name: escape(found[name]) for name in ("name", "seen", "right")}
    return MISTAKE.format(**said, probability=found["probability"], pictures="\n".join(pictures))


def digest(path: Path) -> str:
    """Return the name of a file's content."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


if __name__ == "__main__":
    with Client() as service:
        nightly(service, Path(sys.argv[1]), Path(sys.argv[2]))
