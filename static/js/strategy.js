/* Drawing over half hours, and dragging people between teams; both pages work without it. */
(() => {
  "use strict";

  // -- paint: the first half hour touched decides whether the stroke ticks or clears
  let stroke = null;
  document.addEventListener("pointerdown", (event) => {
    const box = event.target.closest("[data-paint] .slot")?.querySelector("input");
    if (!box || event.button) return;
    event.preventDefault();
    stroke = !box.checked;
    box.checked = stroke;
    box.focus();
  });
  document.addEventListener("pointermove", (event) => {
    if (stroke === null) return;
    const under = document.elementFromPoint(event.clientX, event.clientY);
    const box = under?.closest("[data-paint] .slot")?.querySelector("input");
    if (box) box.checked = stroke;
  });
  for (const end of ["pointerup", "pointercancel"]) document.addEventListener(end, () => (stroke = null));
  // the pointer ticked it already; the keyboard still clicks (detail 0)
  document.addEventListener("click", (event) => {
    if (event.detail && event.target.closest("[data-paint] .slot")) event.preventDefault();
  });

  for (const button of document.querySelectorAll("[data-paint-all]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const boxes = [...document.querySelectorAll("[data-paint] .slot input")];
      const isFull = boxes.every((box) => box.checked);
      for (const box of boxes) box.checked = !isFull;
    });
  }

  // -- drag a person onto a team: the same form the keyboard uses
  let dragged = null;
  document.addEventListener("dragstart", (event) => {
    dragged = event.target.closest?.("[data-signup]") ?? null;
  });
  document.addEventListener("dragover", (event) => {
    const team = event.target.closest?.("[data-team]");
    if (!dragged || !team) return;
    event.preventDefault();
    for (const other of document.querySelectorAll("[data-team]")) other.classList.toggle("is-target", other === team);
  });
  document.addEventListener("drop", (event) => {
    const team = event.target.closest?.("[data-team]");
    if (!dragged || !team) return;
    event.preventDefault();
    const form = dragged.querySelector("form");
    form.elements.team.value = team.dataset.team;
    dragged = null;
    form.requestSubmit();
  });
})();
