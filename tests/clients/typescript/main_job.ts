// The main job by a client of openapi-fetch, typed by openapi-typescript: post, poll, result, mask, batch, classify.
// Run as `node main_job.js URL IMAGE`; it says what it found as JSON.

import { readFileSync } from "node:fs";
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

type Schemas = components["schemas"];

const [url = "", imageFile = ""] = process.argv.slice(2);
const { GET, POST } = createClient<paths>({ baseUrl: url });
const image = readFileSync(imageFile).toString("base64");
const params: Schemas["ExtremalSpec"] = {
  areas: [0.1, 0.4],
  iterations: 3,
  alternatives: 0,
  contrast: false,
  check_extremality: false,
};

/** Return what a call answered, or fail with what the problem says. */
function answered<T>({ data, error }: { data?: T; error?: Schemas["ProblemDetails"] }): T {
  if (data === undefined) throw new Error(error?.detail ?? "no answer");
  return data;
}

async function finished(id: string): Promise<Schemas["JobRead"]> {
  for (;;) {
    const job = answered(await GET("/v1/jobs/{job_id}", { params: { path: { job_id: id } } }));
    if (job.status !== "queued" && job.status !== "running") return job;
    const kept: number | null | undefined = job.partial_curve?.[0]?.preserve;
    if (kept !== undefined && kept !== null && !Number.isFinite(kept)) throw new Error("a score is a number");
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

async function bytes(id: string): Promise<ArrayBuffer> {
  const path = { job_id: id, area: "0.1" };
  return answered(await GET("/v1/jobs/{job_id}/masks/{area}.png", { params: { path }, parseAs: "arrayBuffer" }));
}

async function batch(): Promise<Schemas["BatchRead"]> {
  const posted = answered(await POST("/v1/batches", { body: { images: [image, image], params } }));
  for (;;) {
    const seen = answered(await GET("/v1/batches/{batch_id}", { params: { path: { batch_id: posted.id } } }));
    if (seen.done) return seen;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

const posted = answered(await POST("/v1/jobs", { body: { image, params, priority: "normal" } }));
const job = await finished(posted.id);
const result = answered(await GET("/v1/jobs/{job_id}/result", { params: { path: { job_id: job.id } } }));
if (result.task !== "extremal") throw new Error(`a result of the task ${result.task}`);
const seen = answered(await POST("/v1/classify", { body: { image, top: 1 } }));

// Types tell mistakes before anything is sent.
// @ts-expect-error: an area is a number
const wrongArea: Schemas["ExtremalSpec"] = { areas: ["0.1"] };
// @ts-expect-error: there is no such priority
const wrongPriority: Schemas["JobBody"] = { image, priority: "urgent" };
// @ts-expect-error: sizes have names
const wrongSize: number = result.image[0];
void [wrongArea, wrongPriority, wrongSize];

console.log(
  JSON.stringify({
    status: job.status,
    areas: result.curve.map((point) => point.area),
    width: result.image.width,
    left: result.frame?.left,
    mask: (await bytes(job.id)).byteLength,
    batch: (await batch()).counts,
    label: seen.classes[0]?.label,
  }),
);
