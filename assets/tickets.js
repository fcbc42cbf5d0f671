// Forms that must not lose what is typed (data-lk-draft): messages with files, and the editor of pages. This keeps
// what is typed in the tab until it has arrived, shows the chosen files, and sends the form with its progress. Which
// fields are kept is said by data-lk-keep. After that the answer's page is opened; a form with data-lk-stay is emptied
// instead, and its page told by pressing its data-lk-sent. A button with data-lk-insert puts the words of the chosen
// template into its form's text. All by delegation: forms come and go.
(() => {
  const FORMS = "form[data-lk-draft]";
  const PREFIX = "lk-draft:";
  const KEPT = "subject category account text";
  const SLACK = 200000; // what is typed, and the form's own lines
  const restored = new WeakMap(); // by field, the draft it was filled from
  const told = new WeakMap(); // by form, of which draft it was said that it is here again
  const chosen = new WeakMap();
  const keys = new WeakMap(); // by form, the key that has done its thing, and the next: React may put back the first

  const formOf = (node) => (node && node.closest ? node.closest(FORMS) : null);
  const filled = (sentence, values) => sentence.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const nameOf = (form) => PREFIX + form.dataset.lkDraft;
  const keptOf = (form) => (form.dataset.lkKept || KEPT).split(" ");
  const valueOf = (field) => (field.type === "checkbox" ? (field.checked ? "on" : "") : field.value);
  function fill(field, text) {
    if (field.type === "checkbox") field.checked = text === "on";
    else if (!field.options || [...field.options].some((one) => one.value === text)) field.value = text;
  }

  function stored(work) {
    try {
      return work(window.sessionStorage);
    } catch {
      return null; // forbidden or full: the form itself still has it
    }
  }
  function keep(form) {
    if (!form.dataset.lkDraft) return; // whose it is, is not known yet
    const typed = {};
    for (const name of keptOf(form)) if (form.elements[name]) typed[name] = valueOf(form.elements[name]);
    stored((storage) => storage.setItem(nameOf(form), JSON.stringify(typed)));
  }
  function forget(form) {
    stored((storage) => storage.removeItem(nameOf(form)));
  }
  // Field by field: one that is made anew is empty again, a list may get its choices later, and the form may
  // become another draft's.
  function restore(form) {
    if (!form.dataset.lkDraft) return;
    const draft = nameOf(form);
    const waiting = keptOf(form)
      .map((name) => form.elements[name])
      .filter((field) => field && restored.get(field) !== draft);
    if (!waiting.length) return;
    const typed = JSON.parse(stored((storage) => storage.getItem(draft)) || "{}");
    for (const field of waiting) {
      const text = typed[field.name];
      const isOthers = restored.has(field) && restored.get(field) !== PREFIX && field.matches("input, textarea");
      if (typeof text === "string") fill(field, text);
      else if (isOthers) field.value = "";
      if (typeof text !== "string" || valueOf(field) === text) restored.set(field, draft);
    }
    const note = form.querySelector("[data-lk-restored]");
    if (!note || told.get(form) === draft) return;
    told.set(form, draft);
    note.hidden = !Object.keys(typed).length;
    if (!note.hidden) form.dispatchEvent(new CustomEvent("lk:filled", { bubbles: true }));
  }
  const restoreAll = () => document.querySelectorAll(FORMS).forEach(restore);

  function say(form, name, sentence) {
    const field = form.elements[name];
    const place = form.querySelector(`[id$="${field ? name : "form"}-error"]`);
    if (place) place.textContent = sentence;
    if (field && field.setAttribute) {
      field.setAttribute("aria-invalid", "true");
      field.focus();
    }
  }
  function sayAll(form, wrongs) {
    for (const wrong of wrongs) say(form, wrong.field, wrong.error);
    const first = form.elements[wrongs[0].field];
    if (first && first.focus) first.focus();
  }
  function hush(form) {
    for (const place of form.querySelectorAll("[id$='-error']")) place.textContent = "";
    for (const field of form.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
  }

  function sizeText(form, bytes) {
    if (bytes < 1048576) return filled(form.dataset.lkKb, { size: Math.ceil(bytes / 1024) });
    const size = (bytes / 1048576).toLocaleString(document.documentElement.lang, { maximumFractionDigits: 1 });
    return filled(form.dataset.lkMb, { size });
  }
  function wrongFiles(form) {
    const files = chosen.get(form) || [];
    const large = files.find((file) => file.size > Number(form.dataset.lkMostBytes));
    if (files.length > Number(form.dataset.lkMostFiles)) return form.dataset.lkTooMany;
    return large ? filled(form.dataset.lkTooLarge, { name: large.name }) : "";
  }
  function lineOf(form, file) {
    const line = document.createElement("li");
    line.className = "flex items-center gap-2";
    const name = document.createElement("span");
    name.className = "break-words min-w-0 grow";
    name.textContent = file.name;
    const size = document.createElement("span");
    size.className = "text-sm whitespace-nowrap";
    size.textContent = sizeText(form, file.size);
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn btn-ghost btn-square min-h-11 min-w-11";
    button.textContent = "×";
    button.setAttribute("aria-label", filled(form.dataset.lkRemove, { name: file.name }));
    button.addEventListener("click", () => {
      choose(form, chosen.get(form).filter((one) => one !== file));
      form.elements.files.focus();
    });
    line.append(name, size, button);
    return line;
  }
  function choose(form, files) {
    chosen.set(form, files);
    const carrier = new DataTransfer();
    for (const file of files) carrier.items.add(file);
    form.elements.files.files = carrier.files;
    form.querySelector("[data-lk-files]").replaceChildren(...files.map((file) => lineOf(form, file)));
    hush(form);
    const wrong = wrongFiles(form);
    if (wrong) say(form, "files", wrong);
  }

  function showProgress(form, percent) {
    const place = form.querySelector("[data-lk-progress]");
    if (!place) return;
    place.hidden = percent === null;
    if (percent === null) return;
    place.querySelector("progress").value = percent;
    const sentence = percent < 100 ? filled(form.dataset.lkSending, { percent }) : form.dataset.lkSent;
    place.querySelector("[role=status]").textContent = sentence;
  }
  function freshKey() {
    const bytes = crypto.getRandomValues(new Uint8Array(24));
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }
  // What was sent and never answered may have arrived: the same once more goes under the same key, and is one message.
  const sentOf = (form) => `${nameOf(form)}:sent`;
  function keyOf(form) {
    const files = (chosen.get(form) || []).map((file) => [file.name, file.size, file.lastModified]);
    const what = JSON.stringify([keptOf(form).map((name) => form.elements[name] && valueOf(form.elements[name])), files]);
    const last = JSON.parse(stored((storage) => storage.getItem(sentOf(form))) || "null");
    if (last && last.what === what) return last.key;
    const shown = form.elements.send_key.value;
    const known = keys.get(form);
    const offered = known && known.spent === shown ? known.next : shown;
    const key = last && last.key === offered ? freshKey() : offered; // other words are another message
    stored((storage) => storage.setItem(sentOf(form), JSON.stringify({ key, what })));
    return key;
  }
  function spend(form) {
    if (!form.elements.send_key) return;
    keys.set(form, { spent: form.elements.send_key.value, next: freshKey() });
  }
  function arrived(form, target) {
    forget(form);
    spend(form); // shown again from the browser's memory, it is another form
    if (!("lkStay" in form.dataset)) return window.location.assign(target);
    form.elements.text.value = "";
    if (form.elements.files) choose(form, []);
    form.querySelector("[data-lk-sent]").click();
  }
  function finish(form, request) {
    let answer = null;
    try {
      answer = JSON.parse(request.responseText);
    } catch {
      answer = null;
    }
    release(form);
    if (answer) stored((storage) => storage.removeItem(sentOf(form)));
    if (answer && answer.to) {
      arrived(form, answer.to);
    } else if (answer && answer.conflict) {
      form.dispatchEvent(new CustomEvent("lk:conflict", { bubbles: true, detail: answer }));
    } else if (answer && answer.error) {
      sayAll(form, [answer, ...(answer.others || [])]);
    } else {
      say(form, "files", request.status === 413 ? form.dataset.lkTooMuch : form.dataset.lkNoAnswer);
    }
  }
  function release(form) {
    delete form.dataset.lkBusy;
    form.querySelector("[type=submit]").disabled = false;
    showProgress(form, null);
  }
  function send(form) {
    const body = new FormData(form);
    if (form.elements.send_key) body.set("send_key", keyOf(form));
    const total = (chosen.get(form) || []).reduce((sum, file) => sum + file.size, 0);
    if (total > Number(form.dataset.lkMostBytes) * Number(form.dataset.lkMostFiles) + SLACK) {
      return say(form, "files", form.dataset.lkTooMuch);
    }
    form.dataset.lkBusy = "yes";
    form.querySelector("[type=submit]").disabled = true;
    showProgress(form, 0);
    const request = new XMLHttpRequest();
    request.open("POST", form.getAttribute("action"));
    request.setRequestHeader("Accept", "application/json");
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) showProgress(form, Math.floor((100 * event.loaded) / event.total));
    });
    request.addEventListener("load", () => finish(form, request));
    request.addEventListener("error", () => finish(form, request));
    request.send(body);
  }

  async function insertTemplate(button) {
    const form = formOf(button);
    const choice = form.elements.template;
    if (!choice.value) return choice.focus();
    hush(form);
    try {
      const answer = await fetch(`${button.dataset.lkInsert}/${choice.value}`);
      if (!answer.ok) throw new Error(answer.status);
      insert(form.elements.text, await answer.text());
    } catch {
      say(form, "template", button.dataset.lkNoTemplate);
    }
  }
  function insert(field, words) {
    field.setRangeText(words, field.selectionStart, field.selectionEnd, "end");
    field.dispatchEvent(new Event("input", { bubbles: true })); // it is typed, as far as anybody else is concerned
    field.focus();
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest && event.target.closest("[data-lk-insert]");
    if (button) insertTemplate(button);
  });
  document.addEventListener("input", (event) => {
    const form = formOf(event.target);
    if (form && event.target.type !== "file") keep(form);
  });
  document.addEventListener("change", (event) => {
    const form = formOf(event.target);
    if (!form) return;
    // Choosing again adds to what was chosen before.
    if (event.target.type === "file" && !event.target.name) return; // the editor's, which sends it by itself
    if (event.target.type === "file") choose(form, [...(chosen.get(form) || []), ...event.target.files]);
    else keep(form);
  });
  document.addEventListener(
    "submit",
    (event) => {
      if (event.target.getAttribute("action") === "/auth/logout") {
        stored((storage) => {
          for (const name of Object.keys(storage)) if (name.startsWith(PREFIX)) storage.removeItem(name);
        });
      }
      const form = formOf(event.target);
      if (!form) return;
      event.preventDefault();
      event.stopPropagation();
      if (form.dataset.lkBusy) return;
      hush(form);
      const wrong = wrongFiles(form);
      if (wrong) say(form, "files", wrong);
      else send(form);
    },
    true,
  );
  document.addEventListener("click", (event) => {
    const button = event.target.closest ? event.target.closest("[data-lk-discard]") : null;
    if (!button || !formOf(button.form)) return;
    forget(button.form);
    window.location.reload();
  });
  new MutationObserver(restoreAll).observe(document.documentElement, {
    childList: true,
    subtree: true,
    attributes: true,
    attributeFilter: ["data-lk-draft"],
  });
  restoreAll(); // the form may have been quicker than this script
})();
