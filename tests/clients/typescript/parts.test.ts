// Parts of the TypeScript client without a network: `deno test parts.test.ts`.

import assert from "node:assert/strict";
import {
  Client,
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
