"use strict";
const { cells, documents, tests } = JSON.parse(document.getElementById("cells").textContent);
const dialog = document.getElementById("evidence");
const filter = document.getElementById("filter");
const make = (tag, text, more) => Object.assign(document.createElement(tag), { textContent: text }, more);

// A body as people read it.
document.addEventListener("toggle", event => {
  if (!event.target.matches("details.x") || event.target.dataset.read) return;
  event.target.dataset.read = "1";
  for (const pre of event.target.querySelectorAll("pre")) {
    pre.textContent = pre.textContent.split("\n").map(text => {
      try { return JSON.stringify(JSON.parse(text), null, 2); } catch { return text; }
    }).join("\n");
  }
}, true);

// Evidence.
const witnesses = (side, [counts, ...first]) => {
  const words = { kept: "Kept", refused: "Broken, and refused" };
  const told = Object.entries(counts).map(([standing, count]) => `${count} ${standing}`).join(", ");
  const box = [make("h3", `${words[side]}: ${told || "not seen"}`)];
  for (const number of first) {
    const [start, name, standing] = tests.findLast(([start]) => start <= number);
    const line = make("p", "");
    line.append(make("span", standing, { className: `chip ${standing}` }), " ", make("span", `${name}#${number - start}`, { className: "mono" }));
    const copy = document.getElementById(`x${number}`).cloneNode(true);
    copy.removeAttribute("id");
    box.push(line, copy);
  }
  const count = Object.values(counts).reduce((sum, one) => sum + one, 0);
  if (count > first.length) box.push(make("p", `and ${count - first.length} more`, { className: "muted" }));
  return box;
};
const links = (words, found, after = "") => {
  const line = make("p", words);
  found.forEach(([text, href], index) => line.append(index ? ", " : "", href ? make("a", text, { href, rel: "noreferrer" }) : text));
  line.append(after);
  return line;
};
const section = row => {
  const box = make("section", "");
  box.append(make("p", row.s), make("p", `${row.i} · ${row.p}`, { className: "mono" }));
  if (row.u) box.append(make("p", `Not reachable: ${row.u}`, { className: "muted" }));
  else for (const [side, seen] of Object.entries(row.e || {})) box.append(...witnesses(side, seen));
  if (row.c) box.append(links("Proved by ", row.c.map(claim => [claim, `#claim-${claim}`])));
  const [standing, ...sources] = row.d;
  box.append(links("Source: ", sources.map(name => documents[name]), ` (${standing})`));
  return box;
};
const show = number => {
  const cell = cells[number];
  document.getElementById("evidence-title").textContent = cell.t;
  const body = document.getElementById("evidence-body");
  body.replaceChildren();
  if (cell.b.length) body.append(links("Broken by ", cell.b.map(claim => [claim, `#claim-${claim}`])));
  body.append(...cell.r.map(section));
  body.querySelectorAll("section:first-of-type details.x:first-of-type").forEach(one => { one.open = true; });
  dialog.showModal();
  dialog.scrollTop = 0;
};
document.addEventListener("click", event => {
  const link = event.target.closest("a");
  if (link?.dataset.c) {
    event.preventDefault();
    show(+link.dataset.c);
  } else if (link && dialog.open) dialog.close();
  else if (event.target === dialog) dialog.close();
});
// A link to something folded or filtered away shows it.
const reveal = () => {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  if (target.closest("[hidden]")) filter.reset();
  for (let node = target; node; node = node.parentElement) if (node.matches("details")) node.open = true;
  target.scrollIntoView();
};
addEventListener("hashchange", reveal);

// Arrows walk through the matrix.
const steps = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
document.addEventListener("keydown", event => {
  const here = event.target.closest?.("td"), step = steps[event.key];
  if (!here || !step) return;
  event.preventDefault();
  let row = here.parentElement, column = here.cellIndex;
  do {
    row = step[0] < 0 ? row.previousElementSibling : step[0] > 0 ? row.nextElementSibling : row;
    column += step[1];
    const found = row?.hidden ? null : row?.cells[column]?.querySelector("a");
    if (found) return found.focus();
  } while (row && row.cells[column]);
});

// The filter.
const rows = [...document.querySelectorAll(".row")].map(row => {
  const told = row.querySelector("summary, th") || row;
  const group = row.closest(".group")?.querySelector(".name").textContent || "";
  return { row, text: `${group} ${told.textContent}`.toLowerCase(), facts: row.matches("tr") ? [...row.querySelectorAll("a.cell")] : [row] };
});
const asks = () => Object.fromEntries([...new FormData(filter)].map(([name, value]) => [name, value.trim().toLowerCase()]));
const fits = (fact, { state, operation, standing }) => (!state || fact.dataset.s === state)
  && (!operation || fact.dataset.o.toLowerCase().split(" ").includes(operation))
  && (!standing || fact.dataset.p.split(" ").includes(standing));
const apply = () => {
  const asked = asks();
  const on = Object.values(asked).some(Boolean);
  let found = 0;
  for (const { row, text, facts } of rows) {
    row.hidden = !(asked.text.split(/\s+/).every(word => text.includes(word)) && facts.some(fact => fits(fact, asked)));
    found += !row.hidden;
  }
  for (const group of document.querySelectorAll(".group, .list")) {
    group.hidden = !group.querySelector(".row:not([hidden])");
    if (group.matches(".group")) group.open = on;
    else if (group.previousElementSibling?.matches("h3")) group.previousElementSibling.hidden = group.hidden;
  }
  document.getElementById("found").textContent = on ? `${found} of ${rows.length} constraints, claims and gaps` : "";
};
filter.hidden = false;
filter.addEventListener("input", apply);
filter.addEventListener("submit", event => event.preventDefault());
filter.addEventListener("reset", () => setTimeout(apply));
reveal();
