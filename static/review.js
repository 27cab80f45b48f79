// Single keys for reviewers. All that they do can be done with links, buttons and fields as well.
(() => {
  const { $, $$ } = window.culprit;
  const panel = $("[data-keys]");
  const queue = $("[data-queue]");
  const form = queue || $("[data-decide]");
  const FIELD = "textarea, select, input:not([type=checkbox]):not([type=radio]), [contenteditable]";
  const NAME = "review_keys";

  // The switch: it holds in this browser; where storage is off, for this page

  const on = $("[data-keys-on]");
  try {
    on.checked = localStorage.getItem(NAME) !== "off";
  } catch {
    on.checked = true;
  }
  on.addEventListener("change", () => {
    try {
      if (on.checked) localStorage.removeItem(NAME);
      else localStorage.setItem(NAME, "off");
    } catch {
      // It holds for this page.
    }
  });

  // Rows: the one with the focus is the current one

  const rows = $$("[data-row]");
  const ticks = () => $$("[name=report]", form);
  let current = -1;
  const at = () => rows.findIndex((row) => row.contains(document.activeElement));
  const move = (by) => {
    if (!rows.length) return;
    if (at() >= 0) current = at();
    current = Math.min(Math.max(current + by, 0), rows.length - 1);
    $("[data-open]", rows[current]).focus();
  };
  const row = () => rows[at() >= 0 ? at() : current];
  const tickIfNone = () => {
    const box = row() && $("[name=report]", row());
    if (box && !ticks().some((tick) => tick.checked)) box.checked = true;
  };

  // Decisions: each is sent once

  let sent = false;
  addEventListener("pageshow", () => (sent = false));
  form?.addEventListener("submit", (event) => {
    if (sent) event.preventDefault();
    sent = true;
  });
  const choose = (word) => {
    const radio = form && $(`[name=after][value=${word}]`, form);
    if (!radio) return false;
    if (queue) tickIfNone();
    radio.checked = true;
    return true;
  };
  const follow = (link) => $(link)?.click();

  const keys = {
    j: () => (queue ? move(1) : follow("[data-next]")),
    k: () => (queue ? move(-1) : follow("[data-previous]")),
    x: () => {
      const box = row() && $("[name=report]", row());
      if (box) box.checked = !box.checked;
    },
    a: () => {
      if (choose("accepted")) form.requestSubmit();
    },
    r: () => {
      if (choose("rejected")) $("#id_reason").focus();
    },
    u: () => follow("[data-back]"),
    "?": () => {
      panel.open = !panel.open;
      $("summary", panel).focus();
    },
  };

  document.addEventListener("keydown", (event) => {
    if (!on.checked || event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.isComposing) return;
    if (event.target.closest?.(FIELD)) return;
    const arrow = { ArrowDown: "j", ArrowUp: "k" }[event.key];
    const key = arrow && queue && at() >= 0 ? arrow : event.key;
    if (!Object.hasOwn(keys, key)) return;
    event.preventDefault();
    keys[key]();
  });
})();
