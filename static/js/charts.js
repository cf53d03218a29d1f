/* Charts: a cursor that reads the table beside the drawing, and lines a person can keep in view.
   The server has drawn everything; without this file the drawing and its table say the same. */
(() => {
  "use strict";

  const MOST_IN_TIP = 8;
  const SVG = "http://www.w3.org/2000/svg";
  const pinsOf = new Map(); // id of the figure -> names kept in view; survives a swap of the part

  let shown = null; // the chart whose figures are on the screen

  class ChartView {
    constructor(figure) {
      this.figure = figure;
      this.plot = figure.querySelector("[data-chart-plot]");
      this.drawings = [...figure.querySelectorAll("svg.chart")];
      this.header = [...figure.querySelectorAll(".chart-table thead th")].map((cell) => cell.textContent);
      this.rows = [...figure.querySelectorAll(".chart-table tbody tr")].map((row) =>
        [...row.cells].map((cell) => cell.textContent),
      );
      this.index = null; // row of the table under the cursor
      this.column = null; // line chosen by the keyboard
      this.pins = pinsOf.get(figure.id) || new Set();
      pinsOf.set(figure.id, this.pins);
      for (const drawing of this.drawings) drawing.querySelector(":scope > title")?.remove();

      this.tip = document.createElement("div");
      this.tip.className = "chart-tip";
      this.tip.hidden = true;
      this.status = document.createElement("p");
      this.status.className = "visually-hidden";
      this.status.setAttribute("role", "status");
      this.figure.append(this.tip, this.status);

      this.plot.tabIndex = 0;
      this.plot.setAttribute("role", "application");
      this.plot.setAttribute(
        "aria-label",
        `${figure.querySelector("figcaption").textContent}: left and right move along, ` +
          "up and down choose a line, Enter keeps it in view, Escape lets go",
      );
      this.plot.addEventListener("pointermove", (event) => this.follow(event));
      this.plot.addEventListener("pointerdown", (event) => this.follow(event));
      this.plot.addEventListener("pointerleave", (event) => {
        if (event.pointerType !== "touch") this.hide(); // a lifted finger leaves the figures to read
      });
      this.plot.addEventListener("click", (event) => this.click(event));
      this.plot.addEventListener("keydown", (event) => this.key(event));
      this.plot.addEventListener("blur", () => this.hide());
      this.showPins();
    }

    get drawing() {
      return this.drawings.find((drawing) => drawing.getClientRects().length) || this.drawings[0];
    }

    get places() {
      return this.drawing.dataset.xs.split(" ").map(Number);
    }

    follow(event) {
      const matrix = this.drawing.getScreenCTM();
      if (!matrix) return;
      const x = (event.clientX - matrix.e) / matrix.a;
      let nearest = 0;
      const places = this.places;
      places.forEach((place, i) => {
        if (Math.abs(place - x) < Math.abs(places[nearest] - x)) nearest = i;
      });
      const over = event.target.closest?.("[data-column]");
      this.column = over ? Number(over.dataset.column) : null;
      this.show(nearest);
    }

    click(event) {
      const line = event.target.closest("[data-column]");
      if (line) this.togglePin(Number(line.dataset.column));
    }

    key(event) {
      const last = this.rows.length - 1;
      const at = this.index ?? -1;
      const moves = { ArrowRight: Math.min(at + 1, last), ArrowLeft: Math.max(at - 1, 0), Home: 0, End: last };
      if (event.key in moves) {
        this.show(moves[event.key]);
        this.speak();
      } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        const lines = this.header.length - 1;
        const step = event.key === "ArrowDown" ? 0 : lines - 2;
        this.column = this.column === null ? 1 : ((this.column + step) % lines) + 1;
        this.show(this.index ?? 0);
        this.speak();
      } else if (event.key === "Enter" && this.column !== null) {
        this.togglePin(this.column);
        this.status.textContent = `${this.header[this.column]} ${this.isPinned(this.column) ? "kept in view" : "let go"}`;
      } else if (event.key === "Escape") {
        if (this.index === null) this.pins.clear();
        this.column = null;
        this.hide();
        this.showPins();
      } else {
        return;
      }
      event.preventDefault();
    }

    isPinned(column) {
      return this.pins.has(this.header[column]);
    }

    togglePin(column) {
      const name = this.header[column];
      if (!this.pins.delete(name)) this.pins.add(name);
      this.showPins();
      if (this.index !== null) this.show(this.index);
    }

    showPins() {
      let any = false;
      for (const line of this.figure.querySelectorAll("[data-column]")) {
        const isPinned = this.isPinned(Number(line.dataset.column));
        line.classList.toggle("pinned", isPinned);
        any ||= isPinned;
      }
      this.figure.classList.toggle("has-pins", any);
    }

    show(index) {
      if (shown && shown !== this) shown.hide();
      shown = this;
      this.index = index;
      const drawing = this.drawing;
      const x = this.places[index];
      let cursor = drawing.querySelector(".cursor");
      if (!cursor) {
        cursor = document.createElementNS(SVG, "path");
        cursor.setAttribute("class", "cursor");
        drawing.append(cursor);
      }
      cursor.setAttribute("d", `M${x} ${drawing.dataset.top}V${drawing.dataset.bottom}`);
      for (const line of drawing.querySelectorAll("[data-column]")) {
        line.classList.toggle("under", Number(line.dataset.column) === this.column);
      }
      this.fillTip();
      this.placeTip(x);
    }

    /* The figures under the cursor: the chosen and kept lines, or else the first few by value. */
    readings() {
      const row = this.rows[this.index];
      let columns = row.map((_, i) => i).slice(1).filter((i) => row[i] && row[i] !== "–");
      const kept = columns.filter((i) => this.isPinned(i) || i === this.column);
      if (kept.length) columns = kept;
      return columns.sort((a, b) => valueOf(row[a]) - valueOf(row[b]));
    }

    fillTip() {
      const row = this.rows[this.index];
      const columns = this.readings();
      const title = document.createElement("strong");
      title.textContent = `${this.header[0]} ${row[0]}`;
      const lines = columns.slice(0, MOST_IN_TIP).map((i) => {
        const line = document.createElement("div");
        const look = this.drawing.querySelector(`.series[data-column="${i}"]`)?.getAttribute("class") || "";
        const name = document.createElement("span");
        name.className = look.match(/\bc\d\b/)?.[0] || "";
        name.textContent = this.header[i];
        const value = document.createElement("span");
        value.textContent = row[i];
        line.append(name, value);
        return line;
      });
      if (columns.length > MOST_IN_TIP) {
        const more = document.createElement("div");
        more.className = "mute";
        more.textContent = `and ${columns.length - MOST_IN_TIP} more`;
        lines.push(more);
      }
      this.tip.replaceChildren(title, ...lines);
      this.tip.hidden = false;
    }

    placeTip(x) {
      const figure = this.figure.getBoundingClientRect();
      const matrix = this.drawing.getScreenCTM();
      const left = x * matrix.a + matrix.e - figure.left;
      const width = this.tip.offsetWidth;
      const besides = left + 14 + width > figure.width ? left - 14 - width : left + 14;
      this.tip.style.left = `${Math.max(0, Math.min(besides, figure.width - width))}px`;
      this.tip.style.top = `${this.plot.offsetTop + 24}px`;
    }

    speak() {
      const row = this.rows[this.index];
      const said = this.readings().slice(0, MOST_IN_TIP).map((i) => `${this.header[i]} ${row[i]}`);
      this.status.textContent = `${this.header[0]} ${row[0]}: ${said.join(", ") || "nothing"}`;
    }

    hide() {
      this.index = null;
      this.tip.hidden = true;
      for (const drawing of this.drawings) {
        drawing.querySelector(".cursor")?.remove();
        for (const line of drawing.querySelectorAll(".under")) line.classList.remove("under");
      }
    }
  }

  /* "1:03.842 (best lap)" -> 63.842; what is no number comes last. */
  function valueOf(words) {
    const parts = words.split(" ")[0].replace("−", "-").split(":").map(Number);
    const value = parts.reduce((sum, part) => sum * 60 + part, 0);
    return Number.isNaN(value) ? Infinity : value;
  }

  function wake(root) {
    const figures = [...root.querySelectorAll("figure[data-chart]")];
    if (root.matches?.("figure[data-chart]")) figures.push(root);
    for (const figure of figures) {
      if (figure.dataset.awake || !figure.querySelector("svg[data-xs]")) continue;
      figure.dataset.awake = "yes";
      new ChartView(figure);
    }
  }

  document.addEventListener("pointerdown", (event) => {
    if (shown && !shown.figure.contains(event.target)) shown.hide();
  });
  wake(document);
  document.addEventListener("htmx:load", (event) => wake(event.detail.elt));
})();
