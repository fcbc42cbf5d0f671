// The editor of pages (data-lk-editor on its form): the preview, pictures, and what to do when somebody else
// saved meanwhile. Keeping and sending what is typed is the work of tickets.js. The server renders and
// sanitises: the HTML of the preview is that of the public page.
(() => {
  const EDITOR = "form[data-lk-editor]";
  const PAUSE_MS = 500;
  const timers = new WeakMap();
  const turns = new WeakMap();

  const editorOf = (node) => (node && node.closest ? node.closest(EDITOR) : null);
  const part = (form, name) => document.querySelector(`[data-lk-${name}="${form.id}"]`);
  const sayOfPicture = (form, sentence) => {
    document.getElementById("picture-error").textContent = sentence;
  };
  async function post(address, body) {
    const answer = await fetch(address, { method: "POST", headers: { Accept: "application/json" }, body });
    return answer.json();
  }

  function previewSoon(form, pause) {
    clearTimeout(timers.get(form));
    timers.set(form, setTimeout(preview, pause, form));
  }
  async function preview(form) {
    const place = part(form, "preview");
    if (!place || !form.elements.text) return;
    const turn = (turns.get(form) || 0) + 1;
    turns.set(form, turn);
    const body = new FormData();
    body.set("text", form.elements.text.value);
    const answer = await post(form.dataset.lkPreviewAt, body).catch(() => null);
    if (turn !== turns.get(form)) return; // a later one is under way
    if (answer && typeof answer.html === "string") place.innerHTML = answer.html;
    const note = part(form, "preview-note");
    if (note) note.textContent = answer && answer.html !== undefined ? "" : form.dataset.lkNoPreview;
  }

  function insert(form, address, name) {
    const field = form.elements.text;
    const alt = name.replace(/\.[^.]*$/, "").replace(/[[\]\\]/g, " ");
    const start = field.selectionStart;
    field.setRangeText(`![${alt}](${address})`, start, field.selectionEnd, "end");
    field.focus();
    field.setSelectionRange(start + 2, start + 2 + alt.length); // what it is called is typed next
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
  async function addPicture(form, input) {
    const [file] = input.files;
    if (!file) return;
    sayOfPicture(form, "");
    const status = document.getElementById("picture-status");
    status.textContent = form.dataset.lkSendingPicture;
    const body = new FormData();
    body.set("files", file);
    const answer =
      file.size > Number(form.dataset.lkMostBytes)
        ? { error: form.dataset.lkTooLarge.replace("{name}", file.name) }
        : await post(form.dataset.lkPicturesAt, body).catch(() => ({ error: form.dataset.lkNoAnswer }));
    status.textContent = "";
    input.value = "";
    if (answer.address) insert(form, answer.address, file.name);
    else sayOfPicture(form, answer.error);
  }

  function lineOf(form, [change, text]) {
    const line = document.createElement("li");
    line.className = `diff-line diff-${change}`;
    const words = { added: form.dataset.lkAdded, removed: form.dataset.lkRemoved }[change];
    if (words) {
      const said = document.createElement("span");
      said.className = "sr-only";
      said.textContent = `${words} `;
      line.append(said);
    }
    const tag = { added: "ins", removed: "del" }[change] || "span";
    const shown = document.createElement(tag);
    shown.textContent = change === "gap" ? "…" : text;
    line.append(shown);
    return line;
  }
  function showConflict(form, answer) {
    const panel = part(form, "conflict");
    const theirs = answer.conflict;
    panel.dataset.lkVersion = theirs.version;
    panel.querySelector("[data-lk-by]").textContent = theirs.note;
    panel.querySelector("[data-lk-title]").textContent = theirs.title;
    panel.querySelector("[data-lk-text]").value = theirs.text;
    panel.querySelector("[data-lk-lines]").replaceChildren(...theirs.lines.map((line) => lineOf(form, line)));
    panel.hidden = false;
    panel.focus();
  }

  const start = (form) => {
    if (timers.has(form)) return;
    timers.set(form, 0);
    preview(form);
  };
  const startAll = () => document.querySelectorAll(EDITOR).forEach(start);

  document.addEventListener("input", (event) => {
    const form = editorOf(event.target);
    if (form && event.target.name === "text") previewSoon(form, PAUSE_MS);
  });
  document.addEventListener("change", (event) => {
    const form = editorOf(event.target);
    if (form && event.target.id === "picture") addPicture(form, event.target);
  });
  document.addEventListener("lk:filled", (event) => {
    if (editorOf(event.target)) previewSoon(event.target, 0);
  });
  document.addEventListener("lk:conflict", (event) => {
    if (editorOf(event.target)) showConflict(event.target, event.detail);
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest ? event.target.closest("[data-lk-mine]") : null;
    if (!button) return;
    const panel = button.closest("[data-lk-conflict]");
    const form = document.getElementById(panel.dataset.lkConflict);
    form.elements.version.value = panel.dataset.lkVersion;
    panel.hidden = true;
    form.requestSubmit();
  });
  new MutationObserver(startAll).observe(document.documentElement, { childList: true, subtree: true });
  startAll();
})();
