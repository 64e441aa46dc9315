// What the address holds: `#/` asks, `#/job/{id}?area=0.1&view=outline` and `#/batch/{id}` show something.

const SHOWN = /^#\/(job|batch)\/([0-9a-f]{32})(?:\?(.*))?$/;

/** Return what the address shows: its kind (null: nothing yet), its id, and how it is looked at. */
export function place() {
  const [, kind = null, id = null, view = ""] = location.hash.match(SHOWN) || [];
  return { kind, id, view: Object.fromEntries(new URLSearchParams(view)) };
}

/** Keep how something is looked at in the address, so that a link shows the same; without a step in the history. What is null goes. */
export function remember(changes) {
  const { kind, id, view } = place();
  const kept = Object.entries({ ...view, ...changes }).filter(([, value]) => value !== null);
  if (kind) history.replaceState(null, "", `#/${kind}/${id}?${new URLSearchParams(kept)}`);
}
