"""The jobs of `chaos`: posted by several clients, one of them cut off in the middle, and followed to their end."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor

import httpx

from .posting import FINAL, JsonObject, Poster, picture

POSTERS = 3
PAUSE_S = 0.2  # of a poster, so that uploads are under way most of the time that jobs run
LATE_SHARE = 0.1  # of the jobs, posted while Redis is away
LOOK_S = 0.5


class Upload:
    """A request that stops in the middle of its body until its server is dead, and is then sent again."""

    def __init__(self, client: httpx.Client, poster: Poster) -> None:
        self._client = client
        self._poster = poster
        self.half_sent = threading.Event()
        self.api_is_dead = threading.Event()
        self.was_cut = False

    def post(self, image: bytes) -> str:
        """Return the id of the posted job."""
        headers = {"Idempotency-Key": "cut-in-the-middle"}
        whole = self._client.build_request("POST", "/v1/jobs", files={"image": image}, data=self._poster.form())
        body = whole.read()

        def slowly():
            yield body[: len(body) // 2]
            self.half_sent.set()
            self.api_is_dead.wait(30)
            yield body[len(body) // 2 :]

        kind = {"Content-Type": whole.headers["Content-Type"]}
        try:
            self._client.post("/v1/jobs", content=slowly(), headers=headers | kind)
        except httpx.TransportError:
            self.was_cut = True
        again = self._poster.ask("POST", "/v1/jobs", headers=headers | kind, content=body)
        return str(again.json()["id"])


class Watch:
    """Posts the jobs and follows them to their end, in threads of its own.

    Args:
        jobs: how many.
        copies: how many of them have the same image.
        posters: `POSTERS` that post, and one that asks.
        upload: how the last one is posted.
        redis_going: set when Redis goes away: the late ones are posted then.
    """

    def __init__(
        self, jobs: int, copies: int, posters: list[Poster], upload: Upload, redis_going: threading.Event
    ) -> None:
        self._jobs = jobs
        self._copies = copies
        self._posters = posters
        self._upload = upload
        self._redis_going = redis_going
        self._lock = threading.Lock()
        self.image_of: dict[str, int] = {}
        self.ended: dict[str, JsonObject] = {}

    @property
    def posted(self) -> int:
        """Number of jobs that have an id."""
        return len(self.image_of)

    @property
    def done(self) -> bool:
        """Whether all jobs have ended."""
        return len(self.ended) == self._jobs

    def start(self, pool: ThreadPoolExecutor) -> list[Future[None]]:
        """Begin; the futures raise what went wrong."""
        parts = [range(k, self._jobs - 1, POSTERS) for k in range(POSTERS)]
        posting = [pool.submit(self._post, poster, part) for poster, part in zip(self._posters, parts, strict=False)]
        return [*posting, pool.submit(self._post_slowly), pool.submit(self._follow, self._posters[-1])]

    def _post(self, poster: Poster, numbers: range) -> None:
        late = len(numbers) - max(1, round(LATE_SHARE * len(numbers)))
        for k, number in enumerate(numbers):
            if k == late:
                self._redis_going.wait()
            self._note(poster.post(picture(self._image(number))), number)
            time.sleep(PAUSE_S)

    def _post_slowly(self) -> None:
        number = self._jobs - 1
        self._note(self._upload.post(picture(self._image(number))), number)

    def _image(self, number: int) -> int:
        return number // self._copies

    def _note(self, job_id: str, number: int) -> None:
        with self._lock:
            assert job_id not in self.image_of, f"two requests made the same job {job_id}"
            self.image_of[job_id] = self._image(number)

    def _follow(self, poster: Poster) -> None:
        while not self.done:
            with self._lock:
                open_ = [job_id for job_id in self.image_of if job_id not in self.ended]
            for job_id in open_:
                job = poster.ask("GET", f"/v1/jobs/{job_id}").json()
                if job["status"] in FINAL:
                    self.ended[job_id] = job
            time.sleep(LOOK_S)
