// A field of one among many, found by typing: a list with a line or two on each, by pointer and by keys.

import { el, show, uniqueId } from "./dom.js";

const PAGE = 8;
const LEAST = 320; // pixels of a list, and most, and what is left of the window
const MOST = 420;
const EDGE = 16;
const STEPS = { ArrowDown: 1, ArrowUp: -1, PageDown: PAGE, PageUp: -PAGE };

/**
 * Return the control: `{node, input, value(), set(value), offer(options), open()}`.
 *
 * An option is `{value, note, group, words}`: what is chosen, a line on it, the group that it is listed in, and further
 * words that find it. `onPick(value)` is told of each choice by hand.
 */
export function combobox(label, onPick) {
  const list = el("div.options", { role: "listbox", id: uniqueId("options"), "aria-label": label, hidden: true });
  const count = el("span.sr", { role: "status" });
  const input = el("input", {
    type: "text",
    id: uniqueId("combobox"),
    role: "combobox",
    autocomplete: "off",
    spellcheck: false,
    "aria-expanded": "false",
    "aria-autocomplete": "list",
    "aria-controls": list.id,
    oninput: () => open(input.value),
    onclick: () => list.hidden && openAll(),
    onkeydown: pressed,
    onblur: close,
  });
  const node = el("div.combobox", {}, input, el("span.arrow", { "aria-hidden": "true" }), list, count);
  let options = [];
  let chosen = "";
  let shown = []; // the elements, as they are listed
  let active = null;

  function offer(found) {
    options = found;
    if (!list.hidden) open("");
  }

  function set(value) {
    chosen = value;
    input.value = value;
  }

  function openAll() {
    input.select();
    open("");
  }

  /** List what a text finds: at first the chosen one is pointed at, then the best match. */
  function open(text) {
    const found = matches(options, text);
    const best = text.trim() ? found[0]?.value : chosen;
    const groups = [...new Set(options.map(({ group }) => group))]; // in their own order
    const ofGroup = (name) => found.filter(({ group }) => group === name).map(element);
    show(list, groups.map((name) => [name, ofGroup(name)]).filter(([, ones]) => ones.length).map(groupOf));
    if (!found.length) {
      show(list, el("div.none", { role: "option", "aria-disabled": "true" }, `No “${text.trim()}” here`));
    }
    shown = [...list.querySelectorAll("[role=option]:not([aria-disabled])")];
    count.textContent = `${found.length} of ${options.length}`;
    if (list.hidden) input.scrollIntoView({ block: "nearest" });
    list.hidden = false;
    fit();
    input.setAttribute("aria-expanded", "true");
    point(shown.find((one) => one.dataset.value === best) ?? shown[0] ?? null);
  }

  /** Let the list open to where there is more room, and be no longer than that. */
  function fit() {
    const { top, bottom } = input.getBoundingClientRect();
    const below = innerHeight - bottom;
    const isAbove = below < LEAST && top > below;
    list.classList.toggle("above", isAbove);
    list.style.maxHeight = `${Math.max(LEAST / 2, Math.min(MOST, (isAbove ? top : below) - EDGE))}px`;
  }

  function element({ value, note }) {
    return el(
      "div.option",
      {
        role: "option",
        id: uniqueId("option"),
        "data-value": value,
        "aria-selected": String(value === chosen),
        onpointerdown: (event) => event.preventDefault(), // the field keeps the focus
        onclick: () => pick(value),
      },
      el("span", {}, value),
      el("small", {}, note),
    );
  }

  function point(one) {
    active?.classList.remove("active");
    active = one;
    one?.classList.add("active");
    if (one) input.setAttribute("aria-activedescendant", one.id);
    else input.removeAttribute("aria-activedescendant");
    if (one) reveal(one);
  }

  /** Scroll the list, not the page, to an option, which the name of its group may cover. */
  function reveal(one) {
    const { top, bottom } = one.getBoundingClientRect();
    const box = list.getBoundingClientRect();
    const covered = one.parentElement.firstElementChild.offsetHeight;
    if (top < box.top + covered) list.scrollTop -= box.top + covered - top;
    else if (bottom > box.bottom) list.scrollTop += bottom - box.bottom + EDGE / 2;
  }

  function close() {
    if (list.hidden) return;
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
    point(null);
    input.value = chosen;
  }

  function pick(value) {
    const isNew = value !== chosen;
    set(value);
    close();
    if (isNew) onPick(value);
  }

  function pressed(event) {
    const isOpen = !list.hidden;
    if (event.key in STEPS) {
      event.preventDefault();
      if (isOpen) move(STEPS[event.key]);
      else openAll();
    } else if (event.key === "Enter" && isOpen) {
      event.preventDefault();
      if (active) pick(active.dataset.value);
    } else if (event.key === "Escape" && isOpen) {
      event.preventDefault();
      close();
    }
  }

  function move(step) {
    const last = shown.length - 1;
    const at = shown.indexOf(active);
    const isAtEnd = step > 0 ? at === last : at === 0;
    const to = isAtEnd && Math.abs(step) === 1 ? (step > 0 ? 0 : last) : Math.min(Math.max(at + step, 0), last);
    point(shown[to] ?? null);
  }

  function start() {
    input.focus();
    if (list.hidden) openAll();
  }

  return { node, input, value: () => chosen, set, offer, open: start };
}

function groupOf([name, elements]) {
  const id = uniqueId("group");
  return el(
    "div",
    { role: "group", "aria-labelledby": id },
    el("div.group", { id, role: "presentation" }, name),
    elements,
  );
}

/** Return the options that have all words of a text: first the one that is the text, then those that begin with it. */
function matches(options, text) {
  const wanted = text.toLowerCase().trim();
  const words = wanted.split(/\s+/);
  const rank = (value) => (value === wanted ? 0 : value.startsWith(wanted) ? 1 : 2);
  return options
    .filter(({ value, note, words: more = "" }) => {
      const said = `${value} ${note} ${more}`.toLowerCase();
      return words.every((word) => said.includes(word));
    })
    .sort((a, b) => rank(a.value.toLowerCase()) - rank(b.value.toLowerCase()));
}
