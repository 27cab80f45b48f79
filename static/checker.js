// The check as it goes: answers appear as they come, and a cancel keeps the form. Without this the form is posted whole.
(() => {
  const { $, $$, clean, trouble, announce, furnish } = window.culprit;
  const page = $("#the_page");
  const STREAM = "application/x-ndjson";
  const GONE = "The connection broke before the check was over. Nothing was kept; send it again in a moment.";
  let underway = null;
  let clock = 0;

  const form = () => $("[data-check]");

  // Plan and commands follow the form: what takes a key is asked once there is one, the model is filled in

  const quoted = (word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`);
  const follow = () => {
    const from = form();
    const given = { none: true, key: !!from.elements.key.value, admin: !!from.elements.admin_key.value };
    for (const group of $$("[data-privilege]")) {
      const on = given[group.dataset.privilege] ?? true;
      group.classList.toggle("off", !on);
      $("[data-later]", group).hidden = on;
    }
    const wants = { call: from.elements.paid.checked, customer_info: from.elements.end_user.value, tag_info: from.elements.tags.value, spend_tags: from.elements.tags.value };
    for (const name in wants) for (const row of $$(`[data-step="${name}"]`)) row.hidden = !wants[name];
    const model = from.elements.model.value.trim();
    const commands = $("[data-commands]");
    commands.textContent = commands.textContent.replace(/^export LITELLM_MODEL=.*$/m, () => `export LITELLM_MODEL=${model ? quoted(model) : "..."}`);
  };
  document.addEventListener("input", ({ target }) => target.form?.matches("[data-check]") && follow());

  // Going there and back

  const show = (asking) => {
    $("[data-asking]").hidden = !asking;
    $("[data-bench]").hidden = asking;
    clearInterval(clock);
  };
  const back = (words) => {
    show(false);
    trouble(words);
    $("button[type=submit]", form()).focus({ preventScroll: !!words });
  };
  const start = () => {
    const from = form();
    const chosen = from.elements.target;
    const named = chosen?.value ? chosen.selectedOptions[0].textContent : from.elements.address.value;
    $("[data-asked]").textContent = named || "nothing: the answers are judged";
    for (const list of $$(".probes")) list.replaceChildren();
    $("[data-skipped]").hidden = true;
    $("[data-count]").textContent = "Waiting for the first answer";
    trouble("");
    show(true);
    const began = Date.now();
    const tick = () => ($("[data-clock]").textContent = `${Math.round((Date.now() - began) / 1000)} s`);
    tick();
    clock = setInterval(tick, 1000);
    $("#asking_title").focus();
    scrollTo({ top: 0 });
  };

  // Lines of the stream

  const take = (line) => {
    const said = JSON.parse(line);
    if (said.location) {
      $("[data-count]").textContent = "Done";
      location.assign(said.location);
      return true;
    }
    if (said.probe === "waiting") {
      $("[data-count]").textContent = "Other checks run; this one starts when one of them ends";
      return false;
    }
    if (said.outcome === "not_run") {
      const skipped = $("[data-skipped]");
      $("ol", skipped).insertAdjacentHTML("beforeend", said.html);
      const left = $("ol", skipped).children.length;
      $("summary", skipped).textContent = `${left} ${left === 1 ? "question is" : "questions are"} not asked`;
      skipped.hidden = false;
      return false;
    }
    const list = $("[data-probes]");
    list.insertAdjacentHTML("beforeend", said.html ?? "");
    const count = list.children.length;
    const pause = Number(form().elements.second_look.value);
    const rest = said.probe === "call" && pause ? `; the second look follows after ${pause} seconds` : "";
    $("[data-count]").textContent = `${count} ${count === 1 ? "answer" : "answers"} so far${rest}`;
    list.lastElementChild?.scrollIntoView({ block: "nearest" });
    return false;
  };
  const follows = async (answer) => {
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { value, done } = await reader.read();
      const lines = (rest + (value ?? "")).split("\n");
      rest = done ? "" : lines.pop();
      for (const line of lines) if (line.trim() && take(line)) return true;
      if (done) return false;
    }
  };

  // The form with what is wrong in it; the keys come from the fields that the reader typed them into

  const swap = (html) => {
    const fresh = new DOMParser().parseFromString(html, "text/html");
    const typed = Object.fromEntries(["key", "admin_key"].map((name) => [name, form().elements[name].value]));
    document.title = fresh.title;
    page.replaceChildren(...$("#the_page", fresh).childNodes);
    for (const name in typed) form().elements[name].value = typed[name];
    for (const wrong of $$("[aria-invalid]")) for (let at = wrong.closest("details"); at; at = at.parentElement.closest("details")) at.open = true;
    furnish(page);
    follow();
    ($("[aria-invalid]") || $("h1")).focus();
  };

  const check = async (button) => {
    const from = form();
    const body = new FormData(from, button);
    underway = new AbortController();
    start();
    try {
      const answer = await fetch(from.action, { method: "POST", body, headers: { Accept: STREAM }, signal: underway.signal });
      if (answer.redirected) return location.assign(answer.url);
      if (answer.headers.get("Content-Type")?.startsWith(STREAM)) {
        if (!(await follows(answer))) back(GONE);
      } else if (answer.status === 422) {
        show(false);
        swap(await answer.text());
      } else if (answer.status === 429) {
        back(`Too many checks in this minute. Wait ${answer.headers.get("Retry-After") || 60} seconds, then send it again; all that you typed is still here.`);
      } else if (answer.status === 403) {
        back("The form has grown too old to be trusted. Keep what you need of it, reload the page, and send it again.");
      } else {
        back(`The server answered ${answer.status}. All that you typed is still here: send it again in a moment.`);
      }
    } catch (error) {
      if (error.name !== "AbortError") back(GONE);
    }
  };

  document.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-check]")) return;
    event.preventDefault();
    const boxes = $$("[data-paste] textarea", event.target);
    const long = boxes.filter((box) => !clean(box));
    if (long.length) return long[0].focus();
    check(event.submitter);
  });

  // Buttons

  const list = async (button) => {
    const from = form();
    const said = $("[data-models-said]");
    const body = new FormData();
    for (const name of ["csrfmiddlewaretoken", "target", "address", "key"])
      if (from.elements[name]) body.set(name, from.elements[name].value);
    if (!from.elements.key.value) {
      said.textContent = "Type the key first: the list is what this key may use.";
      return from.elements.key.focus();
    }
    button.disabled = true;
    said.textContent = "Asking the proxy";
    try {
      const answer = await fetch(button.dataset.models, { method: "POST", body, headers: { Accept: "application/json" } });
      if (answer.status === 429) {
        said.textContent = `Too many questions in this minute. Wait ${answer.headers.get("Retry-After") || 60} seconds.`;
        return;
      }
      const { models } = await answer.json();
      $("#model_names").replaceChildren(...models.map((name) => new Option("", name)));
      const many = models.length > 6 ? `, such as ${models.slice(0, 3).join(", ")}` : `: ${models.join(", ")}`;
      said.textContent = models.length
        ? `This key may use ${models.length === 1 ? "one model" : `${models.length} models`}${many}. The field offers them.`
        : "No list came: the proxy can’t be reached, or it refuses this key its list. Type the name.";
      if (models.length === 1 && !from.elements.model.value) from.elements.model.value = models[0];
      if (models.length) from.elements.model.focus();
    } catch {
      said.textContent = "No list came. Type the name.";
    } finally {
      button.disabled = false;
    }
  };

  document.addEventListener("click", ({ target }) => {
    const button = target.closest?.("button");
    if (button?.matches("[data-models]")) list(button);
    if (!button?.matches("[data-cancel]")) return;
    underway?.abort();
    back("");
    announce("Cancelled. Nothing was kept; all that you typed is still here.");
  });

  // A browser that goes back shows the form again, not the list of a check that is over
  addEventListener("pageshow", () => (show(false), follow()));
  follow();
})();
