// Light or dark: the system's choice until a person makes her own. A cookie remembers it, for the portal sets it
// too: at sign-in, and when /settings are changed. What is needed before the first paint stands in the page
// (lk_portal/components/first_paint.py).
(function () {
  const oneYear = 31536000;
  const root = document.documentElement;
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const { saved, apply } = window.lkTheme;
  function choose(theme) {
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `lk_theme=${theme}; Max-Age=${oneYear}; Path=/; SameSite=Lax${secure}`;
    root.setAttribute("data-theme", theme);
    // The portal remembers it for a person who is signed in; a lost answer changes nothing here.
    fetch("/profile/preferences", {
      method: "POST",
      body: new URLSearchParams({ theme }),
      redirect: "manual",
      keepalive: true,
    }).catch(() => {});
  }
  dark.addEventListener("change", apply);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible" && saved()) apply(); // Another tab may have chosen.
  });
  document.addEventListener("click", function (event) {
    const button = event.target.closest && event.target.closest("[data-lk-theme]");
    if (button) {
      choose(root.getAttribute("data-theme") === "dark" ? "light" : "dark");
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
