// What the page does by itself: sort and filter tables, choose what the map shows, zoom it. It loads nothing.
"use strict";

function sortBy(button) {
  const head = button.closest("th"), table = head.closest("table"), body = table.tBodies[0];
  const column = head.cellIndex, up = head.getAttribute("aria-sort") === "descending";
  const value = (row) => row.cells[column].dataset.v ?? row.cells[column].textContent;
  const order = (a, b) => {
    const x = value(a), y = value(b), byNumber = Number(x) - Number(y);
    return (Number.isNaN(byNumber) ? x.localeCompare(y, "vi") : byNumber) * (up ? 1 : -1);
  };
  body.append(...[...body.rows].sort(order));
  for (const other of head.parentNode.cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", up ? "ascending" : "descending");
}

function filter(input) {
  const words = input.value.toLocaleLowerCase("vi");
  for (const row of document.getElementById(input.dataset.table).tBodies[0].rows)
    row.hidden = !row.textContent.toLocaleLowerCase("vi").includes(words);
}

function showLayer(number) {
  for (const part of document.querySelectorAll("[data-layer]"))
    part.toggleAttribute("hidden", part.dataset.layer !== number);
}

function zoomable(map) {
  const whole = map.viewBox.baseVal, full = [whole.x, whole.y, whole.width, whole.height];
  let from = null;
  const place = (event) => {
    const box = map.getBoundingClientRect(), view = map.viewBox.baseVal;
    return [view.x + ((event.clientX - box.left) / box.width) * view.width,
            view.y + ((event.clientY - box.top) / box.height) * view.height];
  };
  map.addEventListener("wheel", (event) => {
    event.preventDefault();
    const view = map.viewBox.baseVal, [x, y] = place(event);
    const width = Math.min(full[2], Math.max(full[2] / 40, view.width * (event.deltaY > 0 ? 1.25 : 0.8)));
    const part = width / view.width, height = view.height * part;
    map.setAttribute("viewBox", [x - (x - view.x) * part, y - (y - view.y) * part, width, height].join(" "));
  }, { passive: false });
  map.addEventListener("pointerdown", (event) => { from = place(event); map.setPointerCapture(event.pointerId); });
  map.addEventListener("pointerup", () => { from = null; });
  map.addEventListener("pointermove", (event) => {
    if (!from) return;
    const view = map.viewBox.baseVal, [x, y] = place(event);
    map.setAttribute("viewBox", [view.x + from[0] - x, view.y + from[1] - y, view.width, view.height].join(" "));
  });
  map.addEventListener("dblclick", () => map.setAttribute("viewBox", full.join(" ")));
}

for (const button of document.querySelectorAll("th button")) button.addEventListener("click", () => sortBy(button));
for (const input of document.querySelectorAll("input[data-table]")) input.addEventListener("input", () => filter(input));
for (const choice of document.querySelectorAll("select#layer"))
  choice.addEventListener("change", () => showLayer(choice.value));
for (const map of document.querySelectorAll("svg#map")) zoomable(map);
