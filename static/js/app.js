/* Small helps every page may use; each page works without them. */
(() => {
  "use strict";

  // -- colour scheme: kept in a cookie, so that the server draws the page right from the start
  const root = document.documentElement;

  function chooseTheme(theme) {
    if (theme) root.dataset.theme = theme;
    else delete root.dataset.theme;
    const keep = theme ? "max-age=31536000" : "max-age=0";
    const secure = location.protocol === "https:" ? "; secure" : "";
    document.cookie = `theme=${theme}; path=/; samesite=lax; ${keep}${secure}`;
    showTheme();
  }

  function showTheme() {
    for (const button of document.querySelectorAll("[data-theme-choice]")) {
      const isChosen = button.dataset.themeChoice === (root.dataset.theme || "");
      button.setAttribute("aria-pressed", String(isChosen));
    }
  }

  for (const group of document.querySelectorAll("[data-theme-switch]")) group.hidden = false;
  showTheme();

  // -- the chosen tab is in view, however many there are before it
  for (const tab of document.querySelectorAll(".tabs [aria-current]")) {
    const row = tab.closest(".tabs");
    row.scrollLeft = tab.offsetLeft - row.offsetLeft - (row.clientWidth - tab.offsetWidth) / 2;
  }

  // -- what the device knows: the zone its person reads clocks in
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  for (const field of document.querySelectorAll("[data-device-zone]")) field.value = zone;
  for (const offer of document.querySelectorAll("[data-offer-zone]")) offer.open = offer.dataset.offerZone !== zone;

  // -- clicks that have no form of their own
  document.addEventListener("click", (event) => {
    const choice = event.target.closest("[data-theme-choice]");
    if (choice) chooseTheme(choice.dataset.themeChoice);

    if (event.target.closest("[data-print]")) window.print();

    const copy = event.target.closest("[data-copy]");
    if (copy) {
      navigator.clipboard?.writeText(copy.dataset.copy).then(() => say("Copied.", "good"));
    }

    for (const menu of document.querySelectorAll("details[data-menu][open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of document.querySelectorAll("details[data-menu][open]")) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });

  // -- what loses something is asked about first: <form data-asks>, or what HTMX brought into #asked.
  // The server asks, or the form itself holds what to ask (<template data-question>), and it becomes
  // a dialog. Without this script the question is a page.
  const asked = document.getElementById("asked");
  const asking = new WeakSet(); // forms whose question is on its way or open: a second press is none

  function openQuestion(dialog, form, submitter) {
    let isAnswered = false;
    dialog.querySelector("[data-not-now]").addEventListener("click", (event) => {
      event.preventDefault();
      dialog.close();
    });
    // the question's own form knows all that was told; the form that asked sends it its own way
    dialog.querySelector("form").addEventListener("submit", (event) => {
      if (form || isAnswered) event.preventDefault();
      if (form && !isAnswered) {
        dialog.close();
        send(form, submitter);
      }
      isAnswered = true;
    });
    dialog.addEventListener("close", () => dialog.remove());
    dialog.showModal();
    dialog.querySelector("[data-not-now]").focus();
  }

  function send(form, submitter) {
    if (!form.isConnected) {
      form.hidden = true; // a newer part stands in its place
      asked.append(form);
      htmx.process(form);
    }
    const sure = document.createElement("input");
    Object.assign(sure, { type: "hidden", name: "sure", value: "yes" });
    form.append(sure);
    form.requestSubmit(submitter);
    sure.remove();
  }

  async function question(form, submitter) {
    const kept = form.querySelector("template[data-question]");
    if (kept) asked.replaceChildren(kept.content.cloneNode(true));
    else if (!(await fetchQuestion(form, submitter))) return null;
    return asked.querySelector("dialog");
  }

  async function fetchQuestion(form, submitter) {
    const answer = await fetch(form.getAttribute("action") || location.href, {
      method: "POST",
      body: new URLSearchParams(new FormData(form, submitter)),
      headers: { "X-Asks": "dialog" },
    });
    if (answer.headers.has("X-Asks")) {
      asked.innerHTML = await answer.text();
      return true;
    }
    if (!answer.ok) throw new Error(`no question but ${answer.status}`);
    // There was nothing to ask, so it is done: never send it twice.
    if (answer.redirected) location.assign(answer.url);
    else location.reload();
    return false;
  }

  document.addEventListener(
    "submit",
    (event) => {
      const form = event.target.closest("form[data-asks]");
      const submitter = event.submitter;
      if (!form || form.querySelector("input[name=sure]")) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      if (asking.has(form)) return;
      asking.add(form);
      form.dataset.pressed = performance.now();
      question(form, submitter)
        .then((dialog) => {
          if (!dialog) return;
          dialog.addEventListener("close", () => asking.delete(form));
          openQuestion(dialog, form, submitter);
        })
        .catch(() => {
          asking.delete(form);
          delete form.dataset.asks; // the plain way says what is wrong
          form.requestSubmit(submitter);
        });
    },
    true,
  );

  document.addEventListener("htmx:afterSwap", (event) => {
    const dialog = event.detail.target.id === "asked" && asked.querySelector("dialog");
    if (dialog) openQuestion(dialog);
  });

  // Filters that apply themselves: <form method="get" data-submit-on-change>
  document.addEventListener("change", (event) => {
    const form = event.target.closest("form[data-submit-on-change]");
    if (form) form.requestSubmit();
  });

  // -- notices: what went wrong with a request nobody's markup answers
  function say(text, level = "bad") {
    const notices = document.getElementById("notices");
    if (!notices) return;
    const notice = document.createElement("div");
    notice.className = `notice ${level}`;
    const words = document.createElement("p");
    words.textContent = text;
    notice.append(words);
    notices.replaceChildren(notice);
    notices.scrollIntoView({ block: "nearest" });
  }

  document.addEventListener("htmx:responseError", (event) => {
    const status = event.detail.xhr.status;
    if (status === 401) say("You are signed out: reload the page and sign in again.");
    else if (status === 403) say("You may not do that here.");
    else if (status === 404) say("It is not there any more: reload the page.");
    else say(`That did not work (${status}). Nothing was lost; try again in a moment.`);
  });
  // A part asked for after the session ended would be the sign-in page: show that one whole.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const answered = event.detail.xhr.responseURL;
    if (answered && new URL(answered).pathname.startsWith("/accounts/")) {
      event.detail.shouldSwap = false;
      location.reload();
    }
  });

  document.addEventListener("htmx:sendError", () => say("The server cannot be reached. Try again in a moment."));
})();
