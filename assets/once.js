// A form that the browser sends itself goes once: a second click would use a temporary password up for nothing.
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
  // The browser may show the page again as it was left.
  window.addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach(release));
})();
