// What can be asked, as the API's own description says it: read only when it is needed.

import { get, root } from "./api.js";

/** The name of each task’s parameters, in the API and in Python. */
export const SPECS = { extremal: "ExtremalSpec", compare: "CompareSpec", channels: "ChannelsSpec", class_channels: "ClassChannelsSpec" };
let read = null;

async function properties(task) {
  read ||= get(`${root}/openapi.json`);
  read.catch(() => (read = null));
  return (await read).components.schemas[SPECS[task]].properties;
}

/** Return the names of the methods that can be compared. */
export const methodNames = async () => (await properties("compare")).methods.items.enum;

export const parameterNames = async (task) => Object.keys(await properties(task));

/** Return the parameters of a job that aren't what they would be by themselves. */
export async function unusual(params) {
  const known = await properties(params.task);
  const given = Object.entries(params).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(known[name]?.default ?? null));
  return Object.fromEntries(given.filter(([name]) => name !== "task"));
}
