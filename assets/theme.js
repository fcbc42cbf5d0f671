// Light or dark: the system's choice until a person makes her own; remembered in this browser only.
(function () {
  const key = "lk-theme";
  const root = document.documentElement;
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  function saved() {
    try {
      return localStorage.getItem(key);
    } catch {
      return null; // Storage may be forbidden; the system's choice stays.
    }
  }
  function apply() {
    const theme = saved() || (dark.matches ? "dark" : "light");
    root.setAttribute("data-theme", theme);
  }
  apply();
  dark.addEventListener("change", apply);
  document.addEventListener("click", function (event) {
    const button = event.target.closest && event.target.closest("[data-lk-theme]");
    if (button) {
      const next = root.getAttribute("data-theme") === "dark" ? "light" : "dark";
      try {
        localStorage.setItem(key, next);
      } catch {
        // See above.
      }
      root.setAttribute("data-theme", next);
    }
    for (const pop of document.querySelectorAll("details[open] > .pop-up")) {
      const open = pop.parentElement;
      const isInside = open.contains(event.target);
      if (!isInside || event.target.closest("a")) open.removeAttribute("open");
    }
  });
  document.addEventListener("keydown", function (event) {
    if (event.key !== "Escape") return;
    for (const pop of document.querySelectorAll("details[open] > .pop-up")) {
      const open = pop.parentElement;
      open.removeAttribute("open");
      open.querySelector("summary").focus();
    }
  });
})();
