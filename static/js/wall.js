/* The pit wall: commands that are shown at once and taken back when refused, kept through a lost
   connection and sent in their order; clocks that tick between the news; alerts one can hear.
   Without this file every command is a plain form. */
(() => {
  "use strict";

  const root = document.querySelector("[data-wall]");
  if (!root) return;
  const STORE = `wall:${root.dataset.wall}`;
  const PATIENCE_MS = 10000;
  const LONGEST_PAUSE_MS = 15000;

  const wall = () => document.getElementById("wall");
  const seen = () => Number(wall()?.dataset.version || 0);

  // -- the queue: kept in the tab, so that it survives a reload ------------------------------------

  let queue = [];
  try {
    queue = JSON.parse(sessionStorage.getItem(STORE)) || [];
  } catch {
    queue = [];
  }
  for (const entry of queue) if (entry.state === "sending") entry.state = "waiting";
  let isSending = false;
  let pause = 1000;
  let timer = null;
  let isCut = false;

  const keep = () => {
    try {
      sessionStorage.setItem(STORE, JSON.stringify(queue));
    } catch {
      // a full or forbidden store: the queue still lives as long as the page
    }
  };

  function newKey() {
    if (crypto.randomUUID) return crypto.randomUUID();
    // plain http in the paddock: no randomUUID there
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  }

  // -- from a form to the queue ---------------------------------------------------------------------

  /** Moments of the race are told by when the button was pressed, not by when a question was
      answered or the network was back. */
  function raceAt(pressed) {
    const clock = document.querySelector("#wall [data-now-ms]");
    if (!clock) return null;
    return Math.max(Math.round(currentMs(clock, pressed)), 0);
  }

  function wordsOf(form, submitter) {
    return form.dataset.words || submitter?.textContent.trim() || "Command";
  }

  document.addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-command]");
    const button = event.submitter;
    if (!form || button?.hasAttribute("data-plain")) return; // previews ask, they change nothing
    event.preventDefault();
    const fields = [...new FormData(form, button)].filter(([, value]) => typeof value === "string");
    const held = Object.fromEntries(fields);
    const entry = {
      key: newKey(),
      url: form.getAttribute("action"),
      base: Number(held.base_version || seen()),
      words: wordsOf(form, button),
      paint: paintOf(form, button),
      state: "waiting",
      fields: fields.filter(([name]) => !["csrfmiddlewaretoken", "key", "base_version", "sure"].includes(name)),
    };
    const at = raceAt(Number(form.dataset.pressed || performance.now()));
    if (form.hasAttribute("data-moment") && !held.at && at !== null) {
      entry.fields = entry.fields.filter(([name]) => name !== "at_ms" && name !== "at");
      entry.fields.push(["at_ms", String(at)]);
    }
    queue.push(entry);
    keep();
    const folded = form.closest("details");
    folded?.removeAttribute("open");
    folded?.removeAttribute("data-previewed");
    form.reset();
    fillForms();
    show();
    pump();
  });

  // -- optimistic paint -----------------------------------------------------------------------------

  /** What the page shows before the server has spoken: data-paint="in-car" and its text. */
  function paintOf(form, button) {
    const place = button?.dataset.paint || form.dataset.paint;
    if (!place) return null;
    const field = form.elements[form.dataset.paintFrom || ""];
    const chosen = field?.selectedOptions?.[0]?.textContent.trim() || field?.value;
    return { place, text: button?.dataset.paintText || form.dataset.paintText || chosen || "…" };
  }

  function paint() {
    for (const element of document.querySelectorAll("#wall [data-real]")) {
      element.textContent = element.dataset.real;
      element.removeAttribute("data-real");
      element.classList.remove("is-pending");
    }
    for (const entry of queue) {
      if (!entry.paint || entry.state === "refused") continue;
      const element = document.querySelector(`#wall [data-value="${entry.paint.place}"]`);
      if (!element) continue;
      element.dataset.real ??= element.textContent;
      element.textContent = entry.paint.text;
      element.classList.add("is-pending");
    }
  }

  function flash(entry) {
    const element = entry.paint && document.querySelector(`#wall [data-value="${entry.paint.place}"]`);
    if (!element) return;
    element.classList.add("is-refused");
    setTimeout(() => element.classList.remove("is-refused"), 6000);
  }

  // -- sending --------------------------------------------------------------------------------------

  const token = () => document.querySelector("[data-wall] [name=csrfmiddlewaretoken]")?.value || "";

  async function pump() {
    clearTimeout(timer);
    const entry = queue.find((one) => one.state !== "refused");
    if (isSending || !entry || entry.state === "held") return;
    isSending = true;
    entry.state = "sending";
    show();
    const body = new URLSearchParams(entry.fields);
    body.set("key", entry.key);
    body.set("base_version", entry.base);
    body.set("knows", (entry.knows || []).join(" "));
    let answer = null;
    let told = {};
    try {
      answer = await fetch(entry.url, {
        method: "POST",
        body,
        headers: { Accept: "application/json", "X-CSRFToken": token() },
        credentials: "same-origin",
        redirect: "manual",
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      told = await answer.json().catch(() => ({}));
    } catch {
      answer = null;
    }
    isSending = false;
    if (!answer || answer.status >= 500 || answer.status === 429) later(entry);
    else if (answer.ok) accepted(entry, told);
    else refused(entry, told, answer.status);
  }

  function later(entry) {
    entry.state = "waiting";
    isCut = true;
    keep();
    show();
    timer = setTimeout(pump, pause);
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
  }

  function accepted(entry, told) {
    isCut = false;
    pause = 1000;
    queue = queue.filter((one) => one !== entry);
    // What waited behind it was decided knowing it.
    for (const one of queue) one.knows = [...(one.knows || []), entry.key].slice(-40);
    keep();
    say(told.words || entry.words, "good");
    show();
    refresh();
    pump();
  }

  function refused(entry, told, status) {
    isCut = false;
    entry.state = "refused";
    const named = Object.values(told.error?.fields || {}).flat();
    entry.why = told.error?.message || (status === 0 ? "Sign in again, then send it once more." : `Refused (${status}).`);
    if (named.length && !entry.why.includes(named[0])) entry.why += ` ${named.join(" ")}`;
    for (const one of queue) if (one.state === "waiting") one.state = "held";
    keep();
    show();
    flash(entry);
    refresh();
  }

  addEventListener("online", () => {
    pause = 1000;
    pump();
  });

  function refresh() {
    const part = wall();
    // the race was put on the wall just now: there is no part to ask for yet
    if (!part && !queue.length) location.reload();
    if (!part?.dataset.liveGet) return;
    htmx.ajax("GET", part.dataset.liveGet, { source: part, target: part, swap: "outerHTML" }).catch(() => {});
  }

  // -- what waits, what was refused -----------------------------------------------------------------

  const STATES = { waiting: "waits", sending: "is being sent", held: "waits for you", refused: "was refused" };

  function show() {
    const place = document.getElementById("wall-queue");
    place.replaceChildren();
    if (isCut) {
      const line = document.createElement("p");
      line.className = "notice warn";
      line.textContent = "No connection: what you do here is kept and sent in its order.";
      place.append(line);
    }
    if (queue.length) {
      const list = document.createElement("ol");
      list.className = "wall-queue";
      list.append(...queue.map(lineOf));
      place.append(list);
    }
    if (queue.some((one) => one.state === "held")) {
      place.append(button("Send the rest", () => {
        for (const one of queue) if (one.state === "held") Object.assign(one, { state: "waiting", base: seen() });
        keep();
        show();
        pump();
      }));
    }
    paint();
  }

  function lineOf(entry) {
    const item = document.createElement("li");
    item.dataset.state = entry.state;
    const words = document.createElement("span");
    words.textContent = `${entry.words} ${STATES[entry.state]}${entry.why ? `: ${entry.why}` : ""}`;
    item.append(words);
    if (entry.state === "refused" || entry.state === "held") {
      item.append(button(entry.state === "refused" ? "Understood" : "Drop it", () => {
        queue = queue.filter((one) => one !== entry);
        keep();
        show();
        pump();
      }));
    }
    return item;
  }

  function button(words, act) {
    const made = document.createElement("button");
    made.type = "button";
    made.className = "btn small";
    made.textContent = words;
    made.addEventListener("click", act);
    return made;
  }

  function say(words, level) {
    const place = document.getElementById("wall-said");
    const line = document.createElement("p");
    line.className = `notice ${level}`;
    line.textContent = words;
    place.replaceChildren(line);
    setTimeout(() => line.remove(), 8000);
  }

  addEventListener("beforeunload", (event) => {
    if (queue.some((one) => one.state !== "refused")) event.preventDefault();
  });

  // -- forms follow what the wall shows: its version, the stint that runs, the one that comes -------

  function fillForms() {
    const facts = wall()?.dataset;
    if (!facts) return;
    for (const field of document.querySelectorAll("[data-wall] form[data-command] [name=base_version]")) {
      if (!field.closest("[data-previewed]")) field.value = facts.version;
    }
    for (const field of document.querySelectorAll("[data-wall] [data-fill]")) {
      const value = facts[field.dataset.fill];
      if (value !== undefined && field !== document.activeElement) field.value = value;
    }
  }

  // Other forms, and other choices in them, as the race goes on; not under the hands of whoever
  // has one open.
  const more = () => document.getElementById("wall-more");
  const isInUse = (part) => part.contains(document.activeElement) || part.querySelector("details[open]");
  let askedFor = null;

  function followForms() {
    const part = more();
    const wanted = wall()?.dataset.forms;
    if (!part || !wanted || part.dataset.forms === wanted || askedFor === wanted || isInUse(part)) return;
    askedFor = wanted;
    htmx
      .ajax("GET", location.pathname + location.search, { source: part, target: part, swap: "outerHTML" })
      .catch(() => {});
  }

  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    if (detail.target?.id !== "wall-more" || !isInUse(detail.target)) return;
    detail.shouldSwap = false;
    askedFor = null;
  });
  document.addEventListener("toggle", () => setTimeout(followForms, 100), true);

  // The race was put on the wall by somebody else.
  document.addEventListener("live:news", ({ target }) => target.id === "wall-to-come" && location.reload());

  // A change that was looked at first is based on what it was looked at with.
  function takePreviews() {
    for (const shown of document.querySelectorAll("[id^=preview-][data-version]")) {
      const folded = shown.closest("details");
      if (!folded.open || shown.dataset.taken) continue;
      shown.dataset.taken = "yes";
      folded.setAttribute("data-previewed", "");
      folded.querySelector("[name=base_version]").value = shown.dataset.version;
    }
  }

  // -- clocks ---------------------------------------------------------------------------------------

  /** data-ms as it was when the part came, plus what passed since at the speed of the race. */
  function currentMs(element, now = performance.now()) {
    const born = (element.bornAt ??= performance.now() - Number(wall()?.dataset.age || 0));
    const rate = Number(element.dataset.rate || 0);
    const value = Number(element.dataset.ms ?? element.dataset.nowMs) + (now - born) * rate;
    return element.hasAttribute("data-floor") ? Math.max(value, 0) : value;
  }

  function clockText(ms) {
    const sign = ms < 0 ? "−" : "";
    const all = Math.floor(Math.abs(ms) / 1000);
    const [hours, minutes, seconds] = [Math.floor(all / 3600), Math.floor(all / 60) % 60, all % 60];
    const two = (number) => String(number).padStart(2, "0");
    return hours ? `${sign}${hours}:${two(minutes)}:${two(seconds)}` : `${sign}${minutes}:${two(seconds)}`;
  }

  function tick() {
    for (const element of document.querySelectorAll("[data-wall] [data-clock]")) {
      const text = clockText(currentMs(element));
      if (element.textContent !== text) element.textContent = text;
    }
  }

  // -- alerts ---------------------------------------------------------------------------------------

  const sound = document.getElementById("wall-sound");
  let heard = null;
  let audio = null;

  function beep(level) {
    audio ||= new AudioContext();
    const tone = audio.createOscillator();
    const volume = audio.createGain();
    tone.frequency.value = level === "red" ? 880 : 440;
    volume.gain.setValueAtTime(0.15, audio.currentTime);
    volume.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + 0.5);
    tone.connect(volume).connect(audio.destination);
    tone.start();
    tone.stop(audio.currentTime + 0.5);
  }

  function hearAlerts() {
    const now = new Map(
      [...document.querySelectorAll("#wall [data-alert]")].map((one) => [one.dataset.alert, one.dataset.level]),
    );
    const fresh = heard === null ? [] : [...now].filter(([key]) => !heard.has(key));
    heard = now;
    if (fresh.length && sound?.getAttribute("aria-pressed") === "true") {
      beep(fresh.some(([, level]) => level === "red") ? "red" : "amber");
    }
  }

  if (sound) {
    sound.hidden = false;
    sound.addEventListener("click", () => {
      const isOn = sound.getAttribute("aria-pressed") !== "true";
      sound.setAttribute("aria-pressed", String(isOn));
      sound.querySelector("[data-label]").textContent = isOn ? "Sound is on" : "Sound is off";
      if (isOn) beep("amber");
    });
  }

  // -- life -----------------------------------------------------------------------------------------

  function freshen() {
    takePreviews();
    fillForms();
    followForms();
    paint();
    hearAlerts();
    tick();
  }

  htmx.onLoad(freshen);
  setInterval(tick, 250);
  show();
  freshen();
  pump();
})();
