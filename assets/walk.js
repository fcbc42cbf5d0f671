// Keys for the page of readings: arrows walk along a chart's columns and Enter goes into one, arrows move
// between tabs, and the focus stays where it was. All by delegation: charts come and go with the pages.
(function () {
  const REGION = "[data-lk-chart]";
  const FIRST = -1;
  const walks = new WeakMap();
  const watched = new WeakSet();

  function closest(node, selector) {
    return node && node.closest ? node.closest(selector) : null;
  }
  function rowsOf(region) {
    const body = document.getElementById(region.dataset.lkChart);
    return body ? Array.from(body.rows) : [];
  }
  function cursorOf(region) {
    return region.querySelector(".chart-cursor");
  }
  function said() {
    return document.getElementById("chart-walked");
  }

  // Other columns are shown: the walk begins anew.
  function forget(region) {
    walks.delete(region);
    cursorOf(region).hidden = true;
    said().textContent = "";
  }
  function watch(region) {
    if (watched.has(region)) return;
    watched.add(region);
    new MutationObserver(() => forget(region)).observe(region, { attributeFilter: ["data-lk-period"] });
  }

  function textOf(region, row) {
    const [name, value, quality, then] = Array.from(row.cells, (cell) => cell.textContent.trim());
    const isKnown = /\d/.test(value);
    const parts = [isKnown ? `${value} ${region.dataset.lkUnit}` : "", quality];
    if (/\d/.test(then || "")) parts.push(`${region.dataset.lkThen} ${then} ${region.dataset.lkUnit}`);
    return `${name}: ${parts.filter(Boolean).join(", ") || value}`;
  }

  function plotOf(region) {
    return region.querySelector(".nsewdrag");
  }
  // The columns stand at 0, 1, 2... on an axis from -0.6 to their number less 0.4.
  function place(region, index, count) {
    const cursor = cursorOf(region);
    const plot = plotOf(region);
    cursor.hidden = !plot;
    if (!plot) return;
    const area = plot.getBoundingClientRect();
    const frame = region.getBoundingClientRect();
    const step = area.width / (count + 0.2);
    cursor.style.left = `${area.left - frame.left + (index + 0.1) * step}px`;
    cursor.style.top = `${area.top - frame.top}px`;
    cursor.style.width = `${step}px`;
    cursor.style.height = `${area.height}px`;
  }

  function go(region, choose) {
    watch(region);
    const rows = rowsOf(region);
    if (!rows.length) return;
    const here = walks.has(region) ? walks.get(region) : FIRST;
    const index = Math.max(0, Math.min(rows.length - 1, choose(here, rows.length)));
    walks.set(region, index);
    place(region, index, rows.length);
    said().textContent = textOf(region, rows[index]);
  }
  function enter(region) {
    const row = rowsOf(region)[walks.has(region) ? walks.get(region) : FIRST];
    const link = row && row.querySelector("a");
    if (link) link.click();
  }

  const KEYS = {
    ArrowRight: (region) => go(region, (here) => here + 1),
    ArrowLeft: (region) => go(region, (here, count) => (here === FIRST ? count - 1 : here - 1)),
    Home: (region) => go(region, () => 0),
    End: (region) => go(region, (here, count) => count - 1),
    Enter: enter,
  };

  function turn(tab, key) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
    if (!step) return false;
    const tabs = Array.from(tab.closest("[role=tablist]").querySelectorAll("[role=tab]"));
    tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length].focus();
    return true;
  }

  document.addEventListener("keydown", function (event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const tab = closest(event.target, "[role=tab]");
    const region = event.target.matches && event.target.matches(REGION) ? event.target : null;
    if (tab) {
      if (turn(tab, event.key)) event.preventDefault();
    } else if (region && KEYS[event.key]) {
      event.preventDefault();
      KEYS[event.key](region);
    }
  });
  document.addEventListener("focusout", function (event) {
    if (event.target.matches && event.target.matches(REGION)) cursorOf(event.target).hidden = true;
  });

  // The way back goes away on the longest period: whoever pressed it with a key finds the focus in the chart.
  document.addEventListener("click", function (event) {
    const region = document.querySelector(REGION);
    if (event.detail === 0 && region && closest(event.target, "[data-lk-back]")) region.focus();
  });

  // Fields are made anew with what was chosen; the one that had the focus gets it back.
  function keepFocus(event) {
    const frame = closest(event.target, "[data-lk-keep-focus]");
    const id = frame && document.activeElement && document.activeElement.id;
    if (!id) return;
    const observer = new MutationObserver(function () {
      const field = document.getElementById(id);
      if (field && document.activeElement === document.body) field.focus();
    });
    observer.observe(frame, { childList: true, subtree: true });
    setTimeout(() => observer.disconnect(), 5000);
  }
  document.addEventListener("submit", keepFocus);
  document.addEventListener("change", keepFocus);

  // A finger on a column goes into it; the chart itself understands a mouse only.
  let pressed = null;
  document.addEventListener("pointerdown", function (event) {
    const isFinger = event.pointerType === "touch" && closest(event.target, `${REGION} .chart`);
    pressed = isFinger ? { x: event.clientX, y: event.clientY } : null;
  });
  document.addEventListener("pointercancel", () => (pressed = null));
  document.addEventListener("pointerup", function (event) {
    if (!pressed || Math.hypot(event.clientX - pressed.x, event.clientY - pressed.y) > 10) return;
    pressed = null;
    const region = closest(event.target, REGION);
    const plot = region && plotOf(region);
    if (!plot) return;
    const rows = rowsOf(region);
    const area = plot.getBoundingClientRect();
    const index = Math.floor((event.clientX - area.left) / (area.width / (rows.length + 0.2)) - 0.1);
    watch(region);
    walks.set(region, index);
    enter(region);
  });
})();
