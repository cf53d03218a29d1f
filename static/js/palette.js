// The search over everything: Ctrl+K, ⌘K or / opens it, arrows move through what was found.
"use strict";

(() => {
  const palette = document.querySelector("[data-palette]");
  if (!palette?.showModal) return; // the link to the search page stays
  const field = palette.querySelector("input");
  const status = palette.querySelector("[data-palette-status]");
  const hits = () => [...palette.querySelectorAll(".palette-found a")];
  const found = () => palette.querySelector(".palette-found");
  const typed = () => field.value.trim().replace(/\s+/g, " ");
  // What is listed belongs to what is typed; undefined before anything was asked for.
  const isFresh = () => found().dataset.words === typed();

  function open() {
    if (palette.open) return;
    palette.showModal();
    field.select();
    if (!isFresh()) htmx.trigger(field, "palette:ask");
  }

  function isTyping(target) {
    return target.closest("input, textarea, select, [contenteditable]") !== null;
  }

  document.addEventListener("keydown", (event) => {
    const isShortcut = (event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "k";
    const isSlash = event.key === "/" && !event.ctrlKey && !event.metaKey && !event.altKey;
    if (!isShortcut && !(isSlash && !isTyping(event.target))) return;
    if (document.querySelector("dialog[open]:not([data-palette])")) return;
    event.preventDefault();
    open();
  });

  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-palette-open]");
    if (opener && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      open();
    }
    // A click on the backdrop is a click on the dialog itself.
    if (event.target === palette || event.target.closest("[data-palette-close]")) palette.close();
  });

  palette.addEventListener("keydown", (event) => {
    const links = hits();
    const at = links.indexOf(document.activeElement);
    if (event.key === "ArrowDown" && links.length) {
      event.preventDefault();
      links[Math.min(at + 1, links.length - 1)].focus();
    } else if (event.key === "ArrowUp" && at >= 0) {
      event.preventDefault();
      if (at === 0) field.focus();
      else links[at - 1].focus();
    } else if (event.key === "Enter" && event.target === field && typed() && isFresh()) {
      const first = palette.querySelector(".hit");
      if (!first) return; // the page says what to try
      event.preventDefault();
      first.click();
    } else if (at >= 0 && event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey) {
      if (event.key !== " ") field.focus(); // what is typed goes on there
    }
  });

  palette.addEventListener("htmx:afterSettle", () => {
    status.textContent = found().dataset.says || "";
  });
})();
