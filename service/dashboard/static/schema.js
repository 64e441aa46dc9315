// What can be asked, as the API's own description says it: read only when it is needed.

import { get, root } from "./api.js";
import { once } from "./once.js";
import { TASKS } from "./task.js";

const read = once(() => get(`${root}/openapi.json`));

async function properties(task) {
  return (await read()).components.schemas[TASKS[task].spec].properties;
}

export const parameterNames = async (task) => Object.keys(await properties(task));

/** Return the parameters of a job that aren't what they would be by themselves. */
export async function unusual(params) {
  const known = await properties(params.task);
  const given = Object.entries(params).filter(([name, value]) =>
    JSON.stringify(value) !== JSON.stringify(known[name]?.default ?? null)
  );
  return Object.fromEntries(given.filter(([name]) => name !== "task"));
}
