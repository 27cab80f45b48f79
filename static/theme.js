// Pins the chosen colours before the first paint, and says that scripts run.
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  try {
    const pinned = localStorage.getItem("theme");
    if (pinned === "light" || pinned === "dark") root.dataset.theme = pinned;
  } catch {
    // Storage is switched off: the system decides.
  }
})();
