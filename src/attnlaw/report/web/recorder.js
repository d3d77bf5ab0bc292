// Notes what goes wrong on the page, so that a test (or a reader with an inspector) sees it: JSON arrays in data-errors and
// data-warnings of the root element.
(() => {
  "use strict";
  const root = document.documentElement;
  const note = (list, message) => {
    const messages = JSON.parse(root.dataset[list] || "[]");
    messages.push(String(message));
    root.dataset[list] = JSON.stringify(messages);
  };
  const record = (method, list) => {
    const original = console[method].bind(console);
    console[method] = (...parts) => {
      note(list, parts.map(String).join(" "));
      original(...parts);
    };
  };
  root.dataset.errors = root.dataset.warnings = "[]";
  record("error", "errors");
  record("warn", "warnings");
  // Vega adds an image to the page a moment before its address.
  const empty = (element) => element instanceof SVGImageElement && element.href.baseVal === "";
  addEventListener("error", (event) => empty(event.target) || note("errors", event.message || `cannot load ${event.target.outerHTML}`), true);
  addEventListener("unhandledrejection", (event) => note("errors", event.reason));
  addEventListener("securitypolicyviolation", (event) => note("errors", `${event.violatedDirective}: ${event.blockedURI}`));
})();
