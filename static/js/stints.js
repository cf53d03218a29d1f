/* Changing a plan on the stint chart, by pointer and by keyboard. Every change is one form sent to the
   server, which checks it and answers with the whole board; the forms in the table do the same. */
(() => {
  "use strict";

  const PAUSE_MS = 500; // arrow keys gather into one change
  let chosen = null; // number of the stint the toolbar and the keys speak of
  let swapping = null; // number of the stint that waits for a partner
  let gathered = null; // {number, laps, timer}
  let drag = null; // {bar, mode, x, y, laps, seat, onto}
  let hadFocus = false;

  const strip = () => document.querySelector("[data-strip][data-may-edit]");
  const barOf = (number) => strip()?.querySelector(`[data-stint="${number}"]`);
  const form = () => document.getElementById("strip-form");
  const num = (bar, name) => Number(bar.dataset[name]);

  function say(words) {
    const status = document.getElementById("strip-chosen");
    if (status) status.textContent = words;
  }

  function choose(bar) {
    chosen = num(bar, "stint");
    for (const other of strip().querySelectorAll("[data-stint]")) other.classList.toggle("is-chosen", other === bar);
    say(bar.getAttribute("aria-label"));
  }

  function send(what, number, value = "") {
    const sheet = form();
    if (!sheet || sheet.dataset.busy) return;
    sheet.dataset.busy = "yes";
    hadFocus = strip().contains(document.activeElement);
    chosen = number;
    sheet.elements.do.value = what;
    sheet.elements.stint.value = number;
    sheet.elements.value.value = value;
    say("Checking…");
    sheet.requestSubmit();
  }

  // -- showing a change before it is sent
  function place(bar, start, laps) {
    const total = num(strip(), "laps");
    const percent = (n) => `${((100 * n) / total).toFixed(3)}%`;
    bar.querySelector(".strip-body").setAttribute("x", percent(start));
    bar.querySelector(".strip-body").setAttribute("width", percent(laps));
    bar.querySelector(".strip-number").setAttribute("x", percent(start + laps / 2));
    bar.querySelector(".strip-grip")?.setAttribute("x", percent(start + laps));
  }

  function previewEnd(bar, wanted) {
    const next = barOf(num(bar, "stint") + 1);
    if (!next) return 0;
    const least = 1 - num(bar, "laps");
    const most = num(next, "laps") - 1;
    const laps = Math.min(Math.max(wanted, least), most);
    place(bar, num(bar, "start"), num(bar, "laps") + laps);
    place(next, num(next, "start") + laps, num(next, "laps") - laps);
    const end = num(bar, "start") + num(bar, "laps") + laps;
    say(`Stint ${bar.dataset.stint} ends with lap ${end} (${laps > 0 ? "+" : ""}${laps})`);
    return laps;
  }

  // -- pointer
  function lapsUnder(event) {
    const width = strip().getBoundingClientRect().width;
    return Math.round(((event.clientX - drag.x) / width) * num(strip(), "laps"));
  }

  function rowUnder(event) {
    const rows = [...strip().querySelectorAll("[data-row]")];
    const row = rows.find((one) => {
      const box = one.querySelector("rect").getBoundingClientRect();
      return event.clientY >= box.top && event.clientY < box.bottom;
    });
    return row ? Number(row.dataset.row) : null;
  }

  document.addEventListener("pointerdown", (event) => {
    const bar = event.target.closest?.("[data-strip][data-may-edit] [data-stint]");
    if (!bar || event.button) return;
    flush();
    choose(bar);
    if (swapping !== null && swapping !== num(bar, "stint")) {
      const other = swapping;
      swapping = null;
      send("swap", other, num(bar, "stint"));
      return;
    }
    const isGrip = event.target.classList.contains("strip-grip");
    if (!isGrip && event.pointerType === "touch") return; // a finger scrolls; the toolbar changes
    if (isGrip) event.preventDefault();
    drag = { bar, mode: isGrip ? "end" : "seat", x: event.clientX, y: event.clientY, laps: 0, seat: null, onto: null };
  });

  document.addEventListener("pointermove", (event) => {
    if (!drag) return;
    if (!drag.bar.isConnected) return void (drag = null);
    if (drag.mode === "end") {
      drag.laps = previewEnd(drag.bar, lapsUnder(event));
      return;
    }
    if (Math.hypot(event.clientX - drag.x, event.clientY - drag.y) < 8) return;
    drag.seat = rowUnder(event);
    const under = document.elementFromPoint(event.clientX, event.clientY)?.closest?.("[data-stint]");
    drag.onto = under && under !== drag.bar ? num(under, "stint") : null;
    for (const row of strip().querySelectorAll("[data-row]")) {
      row.classList.toggle("is-target", Number(row.dataset.row) === drag.seat && drag.seat !== num(drag.bar, "seat"));
    }
    if (drag.onto) say(`Swap the drivers of stints ${drag.bar.dataset.stint} and ${drag.onto}`);
  });

  document.addEventListener("pointerup", () => {
    if (!drag) return;
    const { bar, mode, laps, seat, onto } = drag;
    drag = null;
    if (!bar.isConnected) return;
    const number = num(bar, "stint");
    if (mode === "end") {
      if (laps) send("move", number, laps);
    } else if (onto) send("swap", number, onto);
    else if (seat !== null && seat !== num(bar, "seat")) send("give", number, seat);
    for (const row of strip().querySelectorAll(".is-target")) row.classList.remove("is-target");
  });

  document.addEventListener("pointercancel", () => {
    if (drag?.mode === "end" && drag.bar.isConnected) previewEnd(drag.bar, 0);
    drag = null;
  });

  // -- keyboard and toolbar
  function gather(bar, laps) {
    const number = num(bar, "stint");
    if (gathered && gathered.number !== number) flush();
    clearTimeout(gathered?.timer);
    const sum = previewEnd(bar, (gathered?.laps ?? 0) + laps);
    gathered = { number, laps: sum, timer: setTimeout(flush, PAUSE_MS) };
  }

  function flush() {
    if (!gathered) return;
    const { number, laps, timer } = gathered;
    clearTimeout(timer);
    gathered = null;
    if (laps && barOf(number)) send("move", number, laps);
  }

  function act(what, bar, laps) {
    const number = num(bar, "stint");
    const seats = num(strip(), "drivers");
    if (what === "move") return gather(bar, laps);
    flush();
    if (what === "split") send("split", number, Math.max(Math.floor(num(bar, "laps") / 2), 1));
    else if (what === "merge") send("merge", number);
    else if (what === "hold") send("held" in bar.dataset ? "release" : "hold", number);
    else if (what === "give") send("give", number, (num(bar, "seat") + laps + seats) % seats);
    else if (what === "swap") {
      if (swapping === null || swapping === number) {
        swapping = swapping === number ? null : number;
        say(swapping === null ? bar.getAttribute("aria-label") : `Stint ${number}: choose the stint to swap drivers with`);
      } else {
        const other = swapping;
        swapping = null;
        send("swap", other, number);
      }
    }
  }

  const KEYS = {
    ArrowLeft: ["move", -1], ArrowRight: ["move", 1], ArrowUp: ["give", -1], ArrowDown: ["give", 1],
    s: ["split"], m: ["merge"], h: ["hold"], x: ["swap"], Enter: ["send"], " ": ["send"], Escape: ["stop"], u: ["undo"],
  };

  document.addEventListener("keydown", (event) => {
    const bar = event.target.closest?.("[data-strip][data-may-edit] [data-stint]");
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (!bar || event.altKey || !(key in KEYS)) return;
    if ((event.ctrlKey || event.metaKey) && key !== "z") return;
    event.preventDefault();
    const [what, step = 0] = KEYS[key];
    choose(bar);
    if (what === "send") flush();
    else if (what === "undo") document.querySelector("[data-undo]:not(:disabled)")?.click();
    else if (what === "stop") {
      clearTimeout(gathered?.timer);
      if (gathered) previewEnd(bar, 0);
      gathered = swapping = null;
      say(bar.getAttribute("aria-label"));
    } else act(what, bar, step * (event.shiftKey && what === "move" ? 5 : 1));
  });

  document.addEventListener("focusin", (event) => {
    const bar = event.target.closest?.("[data-strip][data-may-edit] [data-stint]");
    if (bar && swapping === null) choose(bar);
  });

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("#strip-form [data-act]");
    const bar = button && chosen !== null && barOf(chosen);
    if (!button) return;
    if (!bar) return say("Choose a stint first");
    const what = button.dataset.act;
    if (what === "earlier") act("move", bar, -1);
    else if (what === "later") act("move", bar, 1);
    else act(what, bar);
  });

  // -- after an answer: the same stint stays chosen, and focused if it was
  function settle() {
    if (form()) form().hidden = false;
    drag = null;
    const bar = chosen !== null && barOf(chosen);
    if (!bar) return;
    choose(bar);
    if (hadFocus && document.activeElement === document.body) bar.focus({ preventScroll: true });
  }
  document.addEventListener("htmx:afterSettle", settle);
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.target.id === "board") hadFocus ||= !!strip()?.contains(document.activeElement);
  });
  document.addEventListener("htmx:sendError", () => delete form()?.dataset.busy);
  settle();
})();
