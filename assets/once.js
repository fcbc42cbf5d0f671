// A form that the browser sends itself goes once: a second click would use a temporary password up for nothing.
// Where a label stands for the browser's own button, the name of the chosen file is put beside it.
(() => {
  const MS_UNTIL_AGAIN = 10000;
  const release = (form) => delete form.dataset.sent;
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post") return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    setTimeout(release, MS_UNTIL_AGAIN, form);
  });
  document.addEventListener("change", ({ target }) => {
    const place = target.type === "file" && target.form && target.form.querySelector("[data-lk-file]");
    if (place) place.textContent = target.files.length ? target.files[0].name : "";
  });
  // The browser may show the page again as it was left.
  window.addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach(release));
})();
