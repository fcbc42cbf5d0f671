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
  function foldMenus(isToFold) {
    const pops = document.querySelectorAll("details[open] > .pop-up");
    const folded = Array.from(pops, (pop) => pop.parentElement).filter(isToFold);
    folded.forEach((open) => open.removeAttribute("open"));
    return folded;
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
    foldMenus((open) => !open.contains(event.target) || event.target.closest("a"));
  });
  // A menu that the keyboard has left would lie over what the keyboard is at.
  document.addEventListener("focusin", (event) => foldMenus((open) => !open.contains(event.target)));
  document.addEventListener("keydown", function (event) {
    if (event.key === "Escape") foldMenus(() => true).forEach((open) => open.querySelector("summary").focus());
  });
})();
