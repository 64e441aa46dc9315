"""Receive webhooks and keep masks: `EP_WEBHOOK_SECRET=whsec_... python webhook_receiver.py FOLDER [PORT]`.

A message is verified, noted in the folder and answered at once; the mask of a* is fetched afterwards. What comes twice
is done once, by its job's id. A receiver that was stopped goes on with what it had noted.
"""

import os
import queue
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from extremal_client import Client, JobFailed, JobRemoved, NotFound, WebhookInvalid, verify_webhook


class Receiver(BaseHTTPRequestHandler):
    """Answers 204 to what the service has signed, 401 to all else."""

    def do_POST(self) -> None:
        """Take a message."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            job_id = verify_webhook(self.headers, body, os.environ["EP_WEBHOOK_SECRET"]).job_id
        except WebhookInvalid as error:
            self.send_error(401, explain=str(error))
            return
        self.server.inbox.take(job_id)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Leave standard error to what goes wrong."""


class Inbox:
    """Jobs whose end was told: a file for each, `.todo` until its mask is there."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.waiting = queue.SimpleQueue()
        for left in folder.glob("*.todo"):
            self.waiting.put(left.stem)

    def take(self, job_id: str) -> None:
        """Note a job before its message is answered; one that is known by now was told twice."""
        if not any(self.folder.glob(f"{job_id}.*")):
            (self.folder / f"{job_id}.todo").touch()
            self.waiting.put(job_id)

    def done(self, job_id: str, text: str) -> None:
        """Keep what is known of a job, beside its mask."""
        (self.folder / f"{job_id}.txt").write_text(text + "\n")
        (self.folder / f"{job_id}.todo").unlink()
        print(job_id, text, flush=True)


def fetch(client: Client, job_id: str, folder: Path) -> str:
    """Save the mask of a job's a*, and return what was found, in words."""
    try:
        result = client.result(job_id)
    except (JobFailed, JobRemoved, NotFound) as error:
        return f"has no result: {error}"
    if result.optimal_area is None:
        return f"no area suffices for {result.target.label}"
    result.masks[result.optimal_area].save(folder / f"{job_id}.png")
    return f"a* of {result.target.label} is {result.optimal_area:.0%}"


if __name__ == "__main__":
    inbox = Inbox(Path(sys.argv[1]))
    with ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2]) if len(sys.argv) > 2 else 8009), Receiver) as server:
        server.inbox = inbox
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(f"http://127.0.0.1:{server.server_port}", flush=True)
        with Client() as service:
            while True:
                job = inbox.waiting.get()
                inbox.done(job, fetch(service, job, inbox.folder))
