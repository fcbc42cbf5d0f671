// Notifications of this browser: asks for the permission, subscribes at the browser's own push service, and hands
// the subscription to the page's form. By delegation: the button comes and goes with the page.
(function () {
  const ON = "[data-lk-push=on]";
  const OFF = "[data-lk-push=off]";
  const SIGN_OUT = "/auth/logout";

  function say(what) {
    for (const one of document.querySelectorAll("[data-lk-push-said]")) {
      one.hidden = one.dataset.lkPushSaid !== what;
    }
  }
  function bytesOf(base64url) {
    const text = atob(base64url.replace(/-/g, "+").replace(/_/g, "/"));
    return Uint8Array.from(text, (sign) => sign.charCodeAt(0));
  }
  async function subscription() {
    if (!("serviceWorker" in navigator) || !("PushManager" in window)) return null;
    const worker = await navigator.serviceWorker.getRegistration("/");
    return worker ? worker.pushManager.getSubscription() : null;
  }
  // What a push service still holds for the old address is lost, and must be: it may be another person's.
  async function unsubscribe() {
    const before = await subscription();
    if (before) await before.unsubscribe();
  }

  async function subscribe(key) {
    if (!("serviceWorker" in navigator && "PushManager" in window && "Notification" in window)) {
      return say("unsupported");
    }
    if ((await Notification.requestPermission()) !== "granted") return say("denied");
    await navigator.serviceWorker.register("/sw.js", { scope: "/" });
    const worker = await navigator.serviceWorker.ready;
    await unsubscribe();
    const made = await worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytesOf(key) });
    hand(made.toJSON());
  }
  function hand(given) {
    const form = document.getElementById("push-device");
    form.elements.endpoint.value = given.endpoint;
    form.elements.p256dh.value = given.keys.p256dh;
    form.elements.auth.value = given.keys.auth;
    form.requestSubmit();
  }

  document.addEventListener("click", function (event) {
    if (!event.target.closest) return;
    const button = event.target.closest(ON);
    if (button && !button.ariaBusy) {
      button.ariaBusy = "true";
      say("");
      subscribe(button.dataset.lkPushKey)
        .catch(() => say("failed"))
        .finally(() => (button.ariaBusy = null));
    } else if (event.target.closest(OFF)) {
      unsubscribe().catch(() => {});
    }
  });
  // The portal stops by itself; this makes the browser forget what is on its way.
  document.addEventListener("submit", function (event) {
    // Not `.action`: in a form with a field of that name it would be the field.
    if (event.target.getAttribute("action") === SIGN_OUT) unsubscribe().catch(() => {});
  });
})();
