// Says in words that a passkey was not taken; allauth alone would say it in the console.
document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  const said = document.querySelector("[data-trouble]");
  said.textContent =
    event.detail.exception.name === "SecurityError"
      ? "Passkeys work on HTTPS, or on localhost, alone."
      : "No passkey was taken: it was cancelled, took too long, or none fits this site. Try again, or use another way.";
  said.hidden = false;
  said.scrollIntoView({ block: "nearest" });
});
