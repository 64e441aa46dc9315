// Where API keys are on: a place to enter one. It stays in this browser tab's session.

import { key } from "./api.js";
import { el, field, show } from "./dom.js";

/** Make the button open a dialog, which opens by itself when a key is needed; `onChange()` follows a new key. */
export function keyDialog(button, onChange) {
  const input = el("input", { type: "password", autocomplete: "off", value: key.get() || "" });
  const why = el("p.error", { role: "alert" });
  const dialog = el("dialog", { "aria-label": "API key" });
  document.body.append(dialog);

  let isRefused = false; // then it opens by its button only

  function keep(event) {
    event.preventDefault();
    isRefused = false;
    key.set(input.value.trim());
    dialog.close();
    why.textContent = "";
    onChange();
  }

  function refuse() {
    isRefused = true;
    dialog.close();
  }

  dialog.addEventListener("cancel", () => (isRefused = true)); // Escape
  show(
    dialog,
    el(
      "form.stack",
      { onsubmit: keep },
      el("h2", {}, "API key"),
      why,
      field("Key", input, "Kept for this tab only, until it is closed."),
      el(
        "div.row",
        {},
        el("button.primary", { type: "submit" }, "Use this key"),
        el("button", { type: "button", onclick: refuse }, "Not now"),
      ),
    ),
  );
  button.hidden = !key.get();
  button.addEventListener("click", () => dialog.showModal());
  document.addEventListener("key-needed", (event) => {
    button.hidden = false;
    if (dialog.open || isRefused) return;
    why.textContent = event.detail;
    dialog.showModal();
  });
}
