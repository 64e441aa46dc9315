// Verifies messages that come as JSON, `[headers, body, secret, now]` each, and says what became of each.

import { verifyWebhook } from "../../../clients/typescript/src/index.ts";

const told = JSON.parse(Deno.args[0]!).map((
  [headers, body, secret, now]: [Record<string, string>, string, string, number],
) =>
  verifyWebhook(headers, body, secret, now).then(
    ({ id, type, jobId, data }) => [id, type, jobId, data.status],
    ({ name, message }: Error) => [name, message],
  )
);
console.log(JSON.stringify(await Promise.all(told)));
