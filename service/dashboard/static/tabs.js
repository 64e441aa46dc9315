// Tabs over one panel, which shows what belongs to the tab that is chosen.

import { el, uniqueId } from "./dom.js";

const STEPS = { ArrowRight: 1, ArrowLeft: -1 };

/** Return a row of tabs for `panel`, `{node, mark(name)}`; `onPick(name)` is told which was chosen, by hand or by keys. */
export function tabs(label, names, panel, onPick) {
  const buttons = names.map((name) =>
    el("button", { type: "button", role: "tab", id: uniqueId("tab"), value: name, onclick: () => onPick(name) }, name)
  );
  panel.id ||= uniqueId("panel");
  panel.setAttribute("role", "tabpanel");
  for (const one of buttons) one.setAttribute("aria-controls", panel.id);

  function mark(name) {
    for (const one of buttons) {
      const isChosen = one.value === name;
      one.setAttribute("aria-selected", String(isChosen));
      one.tabIndex = isChosen ? 0 : -1;
      if (isChosen) panel.setAttribute("aria-labelledby", one.id);
    }
  }

  function move(event) {
    const at = buttons.indexOf(document.activeElement);
    const { length } = buttons;
    const to = { Home: 0, End: length - 1 }[event.key] ?? (event.key in STEPS ? at + STEPS[event.key] : null);
    if (to === null || at < 0) return;
    event.preventDefault();
    const next = buttons[(to + length) % length];
    next.focus();
    onPick(next.value);
  }

  return { node: el("div.tabs", { role: "tablist", "aria-label": label, onkeydown: move }, buttons), mark };
}
