// What the address holds: `#/?task=compare&model=resnet50&sort=size` asks, `#/job/{id}?area=0.1&view=outline` and `#/batch/{id}` show.

const SHOWN = /^#\/(?:(job|batch)\/([0-9a-f]{32}))?(?:\?(.*))?$/;

/** Return what the address shows: its kind (null: nothing yet), its id, and how it is looked at, or what is asked. */
export function place() {
  const [, kind = null, id = null, view = ""] = location.hash.match(SHOWN) || [];
  return { kind, id, view: Object.fromEntries(new URLSearchParams(view)) };
}

/** Keep how something is looked at in the address, so that a link shows the same; without a step in the history. What is null goes. */
export function remember(changes) {
  const { kind, id } = place();
  if (kind) keep(`#/${kind}/${id}`, changes);
}

/** Keep what the form asks in the address, as above, where that shows nothing else. */
export function rememberAsked(changes) {
  if (!place().kind) keep("#/", changes);
}

function keep(path, changes) {
  const kept = Object.entries({ ...place().view, ...changes }).filter(([, value]) => value !== null);
  history.replaceState(null, "", `${path}?${new URLSearchParams(kept)}`);
}
