// Comboboxes with a list of suggestions (ARIA 1.2). The page's own code fills the list, this opens it, moves
// in it and takes what is chosen. All by delegation: fields come and go with the pages.
(function () {
  const FIELD = "[data-lk-combobox]";
  const watched = new WeakSet();

  function fieldOf(node) {
    return node && node.closest ? node.closest(FIELD) : null;
  }
  function listOf(input) {
    return document.getElementById(input.dataset.lkCombobox);
  }
  function ownerOf(list) {
    return document.querySelector(`[data-lk-combobox="${list.id}"]`);
  }
  function options(input) {
    const list = listOf(input);
    return list ? Array.from(list.querySelectorAll("[role=option]")) : [];
  }
  function isOpen(input) {
    return input.getAttribute("aria-expanded") === "true";
  }
  function active(input) {
    const id = input.getAttribute("aria-activedescendant");
    return options(input).find((option) => option.id === id) || null;
  }

  function activate(input, option) {
    for (const one of options(input)) one.setAttribute("aria-selected", String(one === option));
    if (option) {
      input.setAttribute("aria-activedescendant", option.id);
      option.scrollIntoView({ block: "nearest" });
    } else {
      input.removeAttribute("aria-activedescendant");
    }
  }
  function close(input) {
    const list = listOf(input);
    if (list) list.hidden = true;
    input.setAttribute("aria-expanded", "false");
    activate(input, null);
  }
  function open(input) {
    const list = listOf(input);
    if (!list || !options(input).length) return close(input);
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    activate(input, null);
  }

  // A text that ends with a comma is the beginning of addresses: it goes on, and the list with it. A whole
  // one is just put in; the server need not hear of it. React learns of a change only past its own setter.
  function choose(input, option) {
    const text = option.dataset.lkValue;
    const goesOn = text.endsWith(",");
    if (goesOn) {
      const setter = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set;
      setter.call(input, text + " ");
      delete input.dataset.lkChosen;
      input.dispatchEvent(new Event("input", { bubbles: true }));
    } else {
      input.value = text;
      input.dataset.lkChosen = "yes";
    }
    input.setSelectionRange(input.value.length, input.value.length);
    close(input);
  }

  function move(input, step) {
    const all = options(input);
    if (!isOpen(input)) open(input);
    if (!all.length || !isOpen(input)) return;
    const here = all.indexOf(active(input));
    const next = here < 0 ? (step > 0 ? 0 : all.length - 1) : here + step;
    // Beyond either end no option is active: the caret is in the text again.
    activate(input, all[next] || null);
  }

  // Each returns whether the key is used up.
  const KEYS = {
    ArrowDown(input, event) {
      if (event.altKey) open(input);
      else move(input, 1);
      return true;
    },
    ArrowUp(input, event) {
      if (event.altKey) close(input);
      else move(input, -1);
      return true;
    },
    Home(input) {
      if (!active(input)) return false;
      activate(input, options(input)[0]);
      return true;
    },
    End(input) {
      if (!active(input)) return false;
      activate(input, options(input).at(-1));
      return true;
    },
    Enter(input) {
      const option = active(input);
      if (option) choose(input, option);
      return Boolean(option);
    },
    Tab(input) {
      const option = active(input);
      if (option) choose(input, option);
      close(input);
      return false;
    },
    Escape(input) {
      const wasOpen = isOpen(input);
      close(input);
      return wasOpen;
    },
  };

  function watch(input) {
    const list = listOf(input);
    if (!list || watched.has(list)) return;
    watched.add(list);
    new MutationObserver(function () {
      const owner = ownerOf(list);
      if (!owner) return;
      if (document.activeElement === owner && !owner.dataset.lkChosen) open(owner);
      else close(owner);
    }).observe(list, { childList: true, subtree: true, characterData: true });
  }

  document.addEventListener("focusin", function (event) {
    const input = fieldOf(event.target);
    if (input) watch(input);
  });
  document.addEventListener("focusout", function (event) {
    const input = fieldOf(event.target);
    if (input) close(input);
  });
  document.addEventListener("input", function (event) {
    const input = fieldOf(event.target);
    if (!input) return;
    watch(input);
    delete input.dataset.lkChosen;
    // What was typed before brings the same list, in which nothing changes: show what is there meanwhile.
    if (input.value.trim()) open(input);
    else close(input);
  });
  document.addEventListener("keydown", function (event) {
    const input = fieldOf(event.target);
    if (!input || event.isComposing || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const act = KEYS[event.key];
    if (act && act(input, event)) event.preventDefault();
  });
  // The field keeps the focus while an option is pressed; a finger that scrolls the list is no click.
  document.addEventListener("mousedown", function (event) {
    if (event.target.closest && event.target.closest("[role=listbox]")) event.preventDefault();
  });
  document.addEventListener("click", function (event) {
    const option = event.target.closest && event.target.closest("[role=option]");
    const list = option && option.closest("[role=listbox]");
    const input = list && ownerOf(list);
    if (input) choose(input, option);
    else if (isClosedField(event.target)) open(fieldOf(event.target));
  });
  function isClosedField(node) {
    const input = fieldOf(node);
    return input && !isOpen(input) && !input.dataset.lkChosen && input.value !== "";
  }
})();
