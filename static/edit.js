// The editor saves as it goes. Without this the draft is saved with its button.
(() => {
  const { $ } = window.culprit;
  const form = $("[data-edit]");
  if (!form) return;
  const QUIET = 3000; // after the last key
  const LONGEST = 15000; // while somebody types on
  const said = $("[data-saved]", form);
  let dirty = false;
  let stopped = false;
  let underway = null;
  let timer = 0;
  let since = 0;

  // Its own line: the page's alert is cleared by each answer of a panel.
  const say = (words, wrong = false) => {
    said.textContent = words;
    said.classList.toggle("error", wrong);
  };

  const save = async () => {
    clearTimeout(timer);
    if (!dirty || stopped || underway) return;
    dirty = false;
    since = 0;
    const body = new FormData(form);
    body.set("deed", "save");
    underway = send(body);
    await underway;
    underway = null;
    if (dirty) later();
  };

  const send = async (body) => {
    try {
      const answer = await fetch(form.action, { method: "POST", body, headers: { "X-Autosave": "1" }, redirect: "error" });
      const told = await answer.json();
      if (answer.ok) {
        form.elements.revision.value = told.revision;
        say(told.words);
        return;
      }
      dirty = true;
      // A draft that others changed is not for the script to decide on: the button shows both texts.
      if (answer.status !== 422) stopped = true;
      say(answer.status === 409 ? `${told.words} Press “Save the draft” to see both texts.` : `Not saved. ${told.words}`, true);
    } catch {
      dirty = true;
      say("Not saved: the server did not answer. Your words are still here; it is tried again when you type on.", true);
    }
  };

  const later = () => {
    since ||= Date.now();
    clearTimeout(timer);
    timer = setTimeout(save, Date.now() - since > LONGEST ? 0 : QUIET);
  };

  form.addEventListener("input", () => {
    dirty = true;
    if (!stopped) later();
  });
  document.addEventListener("visibilitychange", () => document.hidden && save());
  // A saving that is under way changes the revision that the form must send.
  document.addEventListener("submit", async (event) => {
    if (event.target !== form) return;
    clearTimeout(timer);
    if (underway) {
      event.preventDefault();
      const { submitter } = event;
      await underway;
      form.requestSubmit(submitter);
      return;
    }
    dirty = false;
  });
  addEventListener("beforeunload", (event) => dirty && event.preventDefault());
})();
