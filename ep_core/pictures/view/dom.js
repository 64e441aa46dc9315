// Building elements. Text is always set as text: nothing of a label or file name is ever read as HTML.

/** Return an element: `el("button.quiet", {type: "button", onclick}, "Go")`. */
export function el(selector, properties = {}, ...children) {
  const [tag, ...classes] = selector.split(".");
  const node = document.createElement(tag || "div");
  if (classes.length) node.className = classes.join(" ");
  fill(node, properties);
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** Return an SVG element. */
export function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== null) node.setAttribute(name, value);
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

function fill(node, properties) {
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "style") { for (const [key, one] of Object.entries(value)) node.style.setProperty(key, one); }
    else if (name in node && !name.startsWith("aria") && name !== "list" && name !== "form") node[name] = value;
    else node.setAttribute(name, value);
  }
}

/** Replace what is inside an element. */
export function show(node, ...children) {
  node.replaceChildren(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
}

let count = 0;
/** Return an id that nothing else on the page has. */
export const uniqueId = (name) => `${name}-${(count += 1)}`;

/** Return a labelled field: the label's text, then the control. */
export function field(label, control, hint = null) {
  control.id ||= uniqueId("field");
  const words = hint === null ? null : el("small", { id: `${control.id}-hint` }, hint);
  if (words) control.setAttribute("aria-describedby", words.id);
  return el("div.field", {}, el("label", { htmlFor: control.id }, label), control, words);
}

/** Return buttons of which one is on, `{node, mark(value)}`; `onPick(value)` is told which was pressed. */
export function segments(label, choices, onPick) {
  const buttons = Object.entries(choices).map(([value, text]) =>
    el("button", { type: "button", value, onclick: () => onPick(value) }, text)
  );
  const mark = (value) => buttons.forEach((one) => one.setAttribute("aria-pressed", String(one.value === value)));
  return { node: el("div.segments", { role: "group", "aria-label": label }, buttons), mark };
}

/** Return a `<select>` of `{value: text}`; the first is chosen. */
export function select(choices) {
  const node = el("select");
  options(node, choices, Object.keys(choices)[0]);
  return node;
}

/** Fill a `<select>` anew. */
export function options(node, choices, chosen) {
  show(node, Object.entries(choices).map(([value, text]) => el("option", { value, selected: value === chosen }, text)));
}
