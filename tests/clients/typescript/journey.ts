// The main job by the TypeScript client, as `deno run journey.ts URL IMAGE`. A line says that the
// job runs, so that the API can be killed then; the last one what was found, as JSON.

import { Client, ExtremalError, InvalidRequest, JobRemoved, NotFound } from "extremal-client";
import type { ExtremalArguments } from "extremal-client";
import { readFileSync } from "node:fs";
import { argv } from "node:process";

const [url, file] = argv.slice(2);
const client = new Client(url);
const image = readFileSync(file!);
const quick: ExtremalArguments = { iterations: 3, check_extremality: false, alternatives: 0, contrast: false };
const slow: ExtremalArguments = { ...quick, model: "slow", areas: [0.2, 0.5], reuse: false };

async function messageOf(
  call: Promise<unknown>,
  kind: abstract new (...made: never[]) => ExtremalError = ExtremalError,
): Promise<string> {
  try {
    await call;
  } catch (error) {
    if (error instanceof kind) return error.message;
    throw error;
  }
  return "";
}

const fractions: number[] = [];
const found = await client.explain(image, { ...slow, iterations: 40 }, {
  onProgress: ({ progress }) => {
    if (progress && fractions.push(progress.fraction) === 1) console.log("running");
  },
});
const again = await client.result(found.job.id);
if (again.task !== "extremal") throw new Error(again.task);

const controller = new AbortController();
const aborted = client.explain(image, { ...slow, iterations: 3000 }, {
  signal: controller.signal,
  onProgress: ({ progress, id }) => {
    if (!progress) return;
    controller.abort(new ExtremalError(id));
  },
});
const abortedId = await messageOf(aborted);
const cancel = (): void => void client.cancel(abortedId).catch(() => {});
const removed = await messageOf(client.result(abortedId, { onProgress: cancel }), JobRemoved);

const compared = await client.compare(image, { methods: ["center", "gradient"], areas: [0.2] });
const seen = await client.classify(image, { top: 1 });

const both: (string | undefined)[] = [];
for await (const one of client.batch([image, new Uint8Array([1])], { ...quick, areas: [0.2] })) {
  both.push(one.result?.target.label ?? one.error?.name);
}

// Types tell mistakes before anything is sent.
// @ts-expect-error: an area is a number
const wrongArea: ExtremalArguments = { areas: ["0.1"] };
// @ts-expect-error: there is no such parameter
const wrongName: ExtremalArguments = { aeras: [0.1] };
// @ts-expect-error: a comparison has maps, no contrast
void [wrongArea, wrongName, compared.contrast];

console.log(JSON.stringify({
  status: found.job.status,
  attempt: found.job.attempt,
  ordered: fractions.every((one, k) => k === 0 || fractions[k - 1]! <= one),
  last: fractions.at(-1)! > fractions[0]!,
  areas: again.curve.map((point) => point.area),
  mask: (await found.masks[0.2]!.blob()).type,
  page: (await found.files.page!.text()).startsWith("<!DOCTYPE html>"),
  removed,
  maps: Object.keys(compared.maps),
  both: both.sort(),
  label: seen.classes[0]?.label,
  wrong: await messageOf(client.explain(image, { areas: [2] }), InvalidRequest),
  missing: await messageOf(client.model("mobilenet_v9"), NotFound),
}));
