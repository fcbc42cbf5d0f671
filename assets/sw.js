// The service worker: shows what is pushed, and opens the page it is about. It keeps no copy of anything: pages
// here are private, and a telephone is lent and lost.
self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

function contentOf(event) {
  try {
    return event.data.json();
  } catch {
    return {};
  }
}

// Only a page of the portal itself may be opened.
function addressOf(page) {
  const address = new URL(typeof page === "string" ? page : "/", self.location.origin);
  return address.origin === self.location.origin ? address.href : self.location.origin + "/";
}

self.addEventListener("push", (event) => {
  const { title, body, page, tag, lang } = contentOf(event);
  event.waitUntil(
    self.registration.showNotification(title || self.location.hostname, {
      body: body || "",
      tag: tag || "portal",
      lang: lang || "",
      icon: "/icons/192.png",
      data: { page },
    }),
  );
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const address = addressOf(event.notification.data && event.notification.data.page);
  event.waitUntil(
    self.clients.matchAll({ type: "window", includeUncontrolled: true }).then((windows) => {
      const open = windows.find((one) => one.url === address);
      return open ? open.focus() : self.clients.openWindow(address);
    }),
  );
});
