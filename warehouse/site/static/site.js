// Sorting of tables and the picker of measures. Every page is whole without it.
(() => {
  const value = (cell) => {
    const text = cell ? cell.textContent.trim() : "";
    // A marker, as [p], is no part of the number.
    const number = Number(text.replace(/\s\[[a-z]+\]|[,%+\s]/g, "").replace("\u2212", "-"));
    return text === "[x]" || text === "" ? null : Number.isNaN(number) ? text.toLowerCase() : number;
  };
  const compare = (a, b, way) => {
    if (a === null || b === null) return (a === null) - (b === null);
    if (typeof a === typeof b) return (a < b ? -1 : a > b ? 1 : 0) * way;
    return (typeof a === "number" ? -1 : 1) * way;
  };
  for (const table of document.querySelectorAll("table.sortable")) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      if (head.hasAttribute("data-unsortable")) return;
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const way = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", way === 1 ? "ascending" : "descending");
        const body = table.tBodies[0];
        const rows = [...body.rows].map((row) => [value(row.cells[column]), row]);
        rows.sort(([a], [b]) => compare(a, b, way));
        body.append(...rows.map(([, row]) => row));
      });
    });
  }
  const form = document.querySelector("form.picker");
  if (form) {
    const select = form.querySelector("select");
    const show = () => {
      for (const board of document.querySelectorAll(".board")) board.hidden = board.id !== select.value;
    };
    form.hidden = false;
    select.addEventListener("change", show);
    show();
  }
})();
