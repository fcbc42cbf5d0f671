// Dialogs: the page's own code puts a <dialog data-lk-dialog> into the page and takes it out again, this shows it
// as a modal one and brings the keyboard back. Escape is its cancel button, so the server always knows.
(function () {
  const DIALOG = "dialog[data-lk-dialog]";
  const openers = new WeakMap();

  function within(node) {
    if (node.nodeType !== Node.ELEMENT_NODE) return [];
    return node.matches(DIALOG) ? [node] : Array.from(node.querySelectorAll(DIALOG));
  }
  function show(dialog) {
    if (dialog.open) return;
    openers.set(dialog, document.activeElement);
    dialog.showModal();
  }
  function comeBack(dialog) {
    const opener = openers.get(dialog);
    const isNowhere = !document.activeElement || document.activeElement === document.body;
    if (opener && opener.isConnected && isNowhere) opener.focus();
  }
  function cancel(event) {
    const dialog = event.target;
    if (!(dialog instanceof Element) || !dialog.matches(DIALOG)) return;
    event.preventDefault();
    const button = dialog.querySelector("[data-lk-cancel]");
    if (button) button.click();
  }

  new MutationObserver((changes) => {
    for (const change of changes) change.removedNodes.forEach((node) => within(node).forEach(comeBack));
    for (const change of changes) change.addedNodes.forEach((node) => within(node).forEach(show));
  }).observe(document.documentElement, { childList: true, subtree: true });
  within(document.documentElement).forEach(show); // one may have been quicker than this script
  // A browser may close a dialog that is asked to go twice, whatever the page says: then it was cancelled too.
  document.addEventListener("cancel", cancel, true);
  document.addEventListener("close", cancel, true);
})();
