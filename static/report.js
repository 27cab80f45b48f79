// The report form: secrets leave it before it is sent, an unfinished one survives a crash, and where the site
// asks for it, a second of work. Without this the form is sent as it is and the server does the rest.
(() => {
  const { $, $$, stored, redact, clean } = window.culprit;
  const form = $("[data-report]");
  const SENT = "report-sent";

  // What was sent needs no second copy here

  const forget = (key) => {
    stored.set(key, null);
    stored.set(SENT, null);
  };
  if (!form) {
    const key = $("[data-sent]") && stored.get(SENT);
    if (key) forget(key);
    return;
  }

  const key = `report:${new URL(form.action).pathname}`;
  const asked = () => $$("input:not([type=hidden], .aside *), select, textarea", form);
  const value = (field) => (field.type === "radio" ? (field.checked ? field.value : null) : redact(field.value).text);
  const values = () => {
    const found = {};
    for (const field of asked()) if (value(field) !== null) found[field.name] = value(field);
    return found;
  };
  const isEmpty = (found) => !Object.values(found).some(Boolean);

  // Kept in this browser while somebody types, redacted; offered again when the page comes back without it

  let waiting = 0;
  const keep = () => {
    const found = values();
    stored.set(key, isEmpty(found) ? null : JSON.stringify({ at: Date.now(), found }));
  };
  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(keep, 400);
  });
  addEventListener("pagehide", () => {
    if (!waiting) return;
    clearTimeout(waiting);
    if (!stored.get(SENT)) keep();
  });

  const read = () => {
    try {
      return JSON.parse(stored.get(key));
    } catch {
      return null;
    }
  };
  const fill = (found) => {
    for (const field of asked()) {
      if (!(field.name in found)) continue;
      if (field.type === "radio") field.checked = field.value === found[field.name];
      else field.value = found[field.name];
    }
  };
  const offer = () => {
    const line = $("[data-unfinished]");
    const left = read();
    const same = left && Object.entries(values()).every(([name, now]) => now === (left.found[name] ?? ""));
    if (!left || same || "again" in form.dataset) return;
    const when = new Date(left.at);
    const day = when.toDateString() === new Date().toDateString() ? "" : `${when.toLocaleDateString()}, `;
    const hour = when.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    $("span", line).textContent = `An unfinished report from ${day}${hour} is in this browser.`;
    line.hidden = false;
    $("[data-restore]", line).addEventListener("click", () => {
      fill(left.found);
      line.hidden = true;
      $("#id_text", form).focus();
    });
    $("[data-discard]", line).addEventListener("click", () => {
      stored.set(key, null);
      line.hidden = true;
      $("#id_text", form).focus();
    });
  };
  if ($("[data-draft]") && stored.get(SENT) === key) forget(key);
  stored.set(SENT, null);
  offer();

  // Where the site asks for a proof of work (ALTCHA): counters are tried until one gives a key with the prefix

  const bytes = (hex) => Uint8Array.from(hex.match(/../g), (two) => parseInt(two, 16));
  const hex = (buffer) => [...new Uint8Array(buffer)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const solve = async ({ parameters, signature }) => {
    const nonce = bytes(parameters.nonce);
    const password = new Uint8Array(nonce.length + 4);
    password.set(nonce);
    const how = { name: "PBKDF2", hash: "SHA-256", salt: bytes(parameters.salt), iterations: parameters.cost };
    for (let counter = 0; ; counter += 1) {
      new DataView(password.buffer).setUint32(nonce.length, counter);
      const base = await crypto.subtle.importKey("raw", password, "PBKDF2", false, ["deriveBits"]);
      const derivedKey = hex(await crypto.subtle.deriveBits(how, base, parameters.keyLength * 8));
      if (derivedKey.startsWith(parameters.keyPrefix))
        return btoa(JSON.stringify({ challenge: { parameters, signature }, solution: { counter, derivedKey } }));
    }
  };
  const proof = form.elements.altcha;
  let solving = null;
  const work = () => {
    if (!proof || proof.value || solving) return solving;
    const said = $("[data-puzzle-said]", form);
    if (!window.crypto?.subtle) {
      said.textContent = "This browser computes the proof only over HTTPS. You can keep what you typed as a draft.";
      return null;
    }
    said.textContent = "Your browser works out a proof that you are no robot.";
    solving = solve(JSON.parse(form.dataset.puzzle)).then((found) => {
      proof.value = found;
      said.textContent = "The proof that you are no robot is ready.";
    });
    return solving;
  };
  form.addEventListener("focusin", work, { once: true });

  // Sending

  const ready = () => $$("[data-paste] textarea", form).every((box) => clean(box) || (box.focus(), false));
  form.addEventListener("submit", (event) => {
    const keeps = event.submitter?.value === "keep";
    for (const field of asked()) if (field.type === "text" || field.type === "url") field.value = value(field);
    if (!ready()) return event.preventDefault();
    if (proof && !proof.value && !keeps && work()) {
      event.preventDefault();
      solving.then(() => form.requestSubmit(event.submitter));
      return;
    }
    clearTimeout(waiting);
    keep();
    stored.set(SENT, key);
  });

  $("[data-wrong]", form)?.focus();
})();
