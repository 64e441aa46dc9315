// Parts of the TypeScript client without a network: `deno test parts.test.ts`.

import assert from "node:assert/strict";
import {
  type BatchProgress,
  Client,
  InvalidRequest,
  JobFailed,
  NotAllowed,
  Unavailable,
  UnexpectedAnswer,
  Unreachable,
} from "../../../clients/typescript/src/index.ts";
import { messages } from "../../../clients/typescript/src/events.ts";

const ID = "0f8fad5bd9cb469fa165708677289501";
const LINK = `/explain/v1/jobs/${ID}`;
const PAGE = `/explain/#/job/${ID}`;
const URL = "http://service.test/explain/";

const job = (status: string, more = {}) => ({
  id: ID,
  status,
  params: { task: "extremal" },
  links: { self: LINK, dashboard: PAGE },
  ...more,
});
const ended = job("succeeded", {
  links: { self: LINK, dashboard: PAGE, result: `${LINK}/result`, masks: { 0.1: `${LINK}/masks/0.1.png` } },
});
const answer = (document: unknown, status = 200, headers = {}) =>
  new Response(JSON.stringify(document), { status, headers });
const problem = (slug: string, status: number, headers = {}) =>
  answer({ type: `/problems/${slug}`, title: slug, status, detail: `It is ${slug}.` }, status, {
    "Content-Type": "application/problem+json",
    ...headers,
  });
const event = (kind: string, data: unknown, id: string) =>
  `event: ${kind}\r\ndata: ${JSON.stringify(data)}\r\nid: ${id}\r\n\r\n`;

function stream(...pieces: string[]): ReadableStream<Uint8Array<ArrayBuffer>> {
  const encoder = new TextEncoder();
  return new ReadableStream({
    pull(controller) {
      const piece = pieces.shift();
      if (piece === undefined) controller.close();
      else if (piece === "cut") controller.error(new TypeError("cut"));
      else controller.enqueue(encoder.encode(piece));
    },
  });
}

/** A client of a script that answers in turn, and what it was sent. */
function played(...lines: (Response | Error)[]) {
  const sent: Request[] = [];
  const play = (input: RequestInfo | globalThis.URL, init?: RequestInit) => {
    sent.push(new Request(input, init));
    const line = lines.shift();
    return line instanceof Response ? Promise.resolve(line) : Promise.reject(line);
  };
  return { sent, client: new Client(URL, { key: " ep_1 ", retrySeconds: 3, fetch: play as typeof fetch }) };
}

Deno.test("events are read over the borders of pieces", async () => {
  const whole = ": hello\n\n" + event("state", { text: "ä\n\n" }, "1-0") + "event: none\n\ndata: [1,\ndata: 2]\n\n";
  for (const size of [1, 7, 1000]) {
    const bytes = new TextEncoder().encode(whole);
    const pieces = Array.from(
      { length: Math.ceil(bytes.length / size) },
      (_, k) => bytes.slice(k * size, (k + 1) * size),
    );
    const body = new ReadableStream({ start: (all) => (pieces.forEach((one) => all.enqueue(one)), all.close()) });
    const found = [];
    for await (const one of messages(body, () => {})) found.push(one);
    assert.deepEqual(found, [{ kind: "state", data: { text: "ä\n\n" }, id: "1-0" }, {
      kind: "message",
      data: [1, 2],
      id: null,
    }]);
  }
});

Deno.test("a lost post is sent again under its key, and a cut stream goes on after its last event", async () => {
  const { sent, client } = played(
    new TypeError("lost"),
    answer(job("queued"), 202),
    new Response(stream(event("state", job("running"), "1-0"), "cut")),
    new Response(stream(event("state", ended, "2-0"))),
    answer({ task: "extremal", artifacts: {}, curve: [] }),
    new Response("mask", { headers: { "Content-Type": "image/png" } }),
  );
  const seen: string[] = [];
  const bytes = new Uint8Array([1, 2]);
  const asked = {
    target: { class: 1, instead_of: "dog" },
    areas: [0.1],
    priority: "low",
    target_image: bytes,
  } as const;
  const result = await client.explain(bytes, asked, { onProgress: (one) => seen.push(one.status) });
  assert.deepEqual(seen, ["queued", "running", "succeeded"]);
  assert.equal(sent[0]!.headers.get("Idempotency-Key"), sent[1]!.headers.get("Idempotency-Key"));
  assert.deepEqual(sent.map((one) => one.headers.get("Authorization")), Array(5).fill("Bearer ep_1"));
  assert.deepEqual(sent.map((one) => one.headers.get("Last-Event-ID")), [null, null, null, "1-0", null]);
  const form = await sent[1]!.formData();
  assert.equal(form.get("params"), '{"task":"extremal","target":{"class":1,"instead_of":"dog"},"areas":[0.1]}');
  assert.deepEqual([form.get("priority"), (form.get("target_image") as File).size], ["low", 2]);
  assert.equal(result.dashboard, `http://service.test${PAGE}`);
  assert.equal(client.dashboard(result.job), result.dashboard);
  assert.equal(await result.masks[0.1]!.text(), "mask");
  assert.equal(await result.masks[0.1]!.text(), "mask"); // fetched once
  assert.equal(sent.at(-1)!.url, `http://service.test${LINK}/masks/0.1.png`);
});

Deno.test("a stream that has nothing to come leads to the job as it is", async () => {
  const failed = job("failed", { error: { type: "/problems/timed-out", title: "", status: 504, detail: "Too long." } });
  const { client } = played(answer(job("running")), new Response(null, { status: 204 }), answer(failed));
  await assert.rejects(client.result(ID), (error) => error instanceof JobFailed && error.detail === "Too long.");
});

Deno.test("what is temporary is asked again, and what is not, is told", async () => {
  const { sent, client } = played(
    problem("rate-limited", 429, { "Retry-After": "1" }),
    new Response("<html>", { status: 502 }),
    answer({ default: "a", models: [] }),
    problem("queue-full", 429, { "Retry-After": "60" }),
    problem("unauthorized", 401),
    new Response("<html>"),
    new Response(null, { status: 302, headers: { Location: "https://elsewhere.test/" } }),
  );
  assert.equal((await client.models()).default, "a");
  assert.equal(sent.length, 3);
  await assert.rejects(client.submit("extremal", ["https://pictures.test/a.png"], {}), Unavailable);
  await assert.rejects(client.models(), (error) => error instanceof NotAllowed && error.slug === "unauthorized");
  await assert.rejects(
    client.tasks(),
    (error) => error instanceof UnexpectedAnswer && /without JSON/.test(error.message),
  );
  await assert.rejects(
    client.models(),
    (error) => error instanceof UnexpectedAnswer && /elsewhere/.test(error.message),
  );
  assert.equal((await sent[3]!.formData()).get("image_url"), "https://pictures.test/a.png");
});

Deno.test("a service that is away is given up, and another host does not get the key", async () => {
  const away = new Client("http://service.test", {
    retrySeconds: 0,
    fetch: () => Promise.reject(new TypeError("refused")),
  });
  await assert.rejects(
    away.models(),
    (error) => error instanceof Unreachable && /is the service running/.test(error.message),
  );
  const { client, sent } = played(answer(job("queued", { links: { self: "https://elsewhere.test/v1/jobs/1" } })));
  await assert.rejects(client.cancel(ID), UnexpectedAnswer);
  assert.equal(sent.length, 1);
  const seen = played(answer({ classes: [] }));
  await seen.client.classify(new globalThis.URL("https://pictures.test/a.png"), { top: 2 });
  const form = await seen.sent[0]!.formData();
  assert.deepEqual([form.get("image_url"), form.get("image"), form.get("top")], [
    "https://pictures.test/a.png",
    null,
    "2",
  ]);
});

Deno.test("many images are posted a few at a time, and each has its result or its reason", async () => {
  const item = (id: number, status: string) => ({ job: `${id}`, status, fraction: 0.5, link: `/v1/jobs/${id}` });
  const because = (slug: string) => ({ error: { type: `/problems/${slug}`, title: "", status: 422, detail: slug } });
  const [bad, full] = [because("unreadable-image"), because("queue-full")];
  const batch = (id: number, ...jobs: object[]) => answer({ jobs, links: { self: `/v1/batches/${id}` } });
  const { sent, client } = played(
    batch(0, item(0, "queued"), bad, full),
    batch(0, item(0, "succeeded"), bad, full),
    answer(ended),
    answer({ task: "extremal", artifacts: {}, curve: [] }),
    batch(1, item(2, "running")),
    batch(1, item(2, "failed")),
    answer(job("failed", because("timed-out"))),
  );
  const [seen, told]: [string[], number[][]] = [[], []];
  const images = ["good", "bad", "late"].map((name) => new File(["1"], name));
  const how = { onProgress: ({ total, done, failed }: BatchProgress) => told.push([total, done, failed]) };
  for await (const { name, result, error } of client.batch(images, { areas: [0.1] }, how)) {
    seen.push(`${name} ${error?.message ?? result?.job.id}`);
  }
  assert.deepEqual(seen, [`good ${ID}`, "bad unreadable-image", "late timed-out"]);
  assert.deepEqual(told.at(-1), [3, 3, 2]);
  const posts = sent.filter(({ method }) => method === "POST");
  const names = async (post: Request) => ((await post.formData()).getAll("image") as File[]).map((one) => one.name);
  assert.deepEqual(await Promise.all(posts.map(names)), [["good", "bad", "late"], ["late"]]);
});

Deno.test("images that are too many are posted in halves, and wrong parameters are told at once", async () => {
  const refused = (field: string) =>
    answer({ type: "/problems/invalid-input", title: "", status: 422, detail: field, errors: [{ field }] }, 422, {
      "Content-Type": "application/problem+json",
    });
  const { sent, client } = played(refused("image"), refused("image.0"), refused("image.0"), refused("areas.0"));
  const bytes = new Uint8Array([1]);
  for await (const { error } of client.batch([bytes, bytes])) assert.ok(error instanceof InvalidRequest);
  assert.deepEqual(await Promise.all(sent.map(async (one) => (await one.formData()).getAll("image").length)), [
    2,
    1,
    1,
  ]);
  await assert.rejects(client.batch([bytes], { areas: [2] }).next(), InvalidRequest);
});
