"use strict";
const filter = document.getElementById("filter");
const rows = [...document.querySelectorAll(".row")].map(row => ({
  row,
  text: row.querySelector("summary").textContent.toLowerCase(),
  operations: row.dataset.o.split("\n"),
}));
const apply = () => {
  const asked = Object.fromEntries(new FormData(filter));
  const words = asked.text.toLowerCase().split(/\s+/);
  let found = 0;
  for (const { row, text, operations } of rows) {
    row.hidden = !(words.every(word => text.includes(word))
      && (!asked.severity || row.dataset.c === asked.severity)
      && (!asked.direction || row.dataset.d === asked.direction)
      && (!asked.operation || operations.includes(asked.operation)));
    found += !row.hidden;
  }
  for (const section of document.querySelectorAll("section.class")) section.hidden = !section.querySelector(".row:not([hidden])");
  const on = Object.values(asked).some(value => value.trim());
  document.getElementById("found").textContent = on ? `${found} of ${rows.length} differences` : "";
};
filter.hidden = false;
filter.addEventListener("input", apply);
filter.addEventListener("submit", event => event.preventDefault());
filter.addEventListener("reset", () => setTimeout(apply));
