"use strict";
const box = document.getElementById("filter");
const rows = Array.from(document.querySelectorAll("details.service"));
const count = document.getElementById("shown");
document.getElementById("filter-box").hidden = false;
box.addEventListener("input", () => {
  const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const row of rows) {
    const text = row.firstElementChild.textContent.toLowerCase();
    row.hidden = !words.every((word) => text.includes(word));
    if (!row.hidden) shown += 1;
  }
  count.textContent = words.length ? `${shown} of ${rows.length} shown` : "";
});
