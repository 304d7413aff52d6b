// The switch of languages, and the rows behind the cells of the confusion matrix. Texts go in as text, never as HTML.

const PART = 100; // rows that are shown at once
const words = {
  ko: {
    title: (label, prediction, count) => `라벨 ${label}, 예측 ${prediction}: ${count.toLocaleString("ko")}행`,
    shown: (shown, count) => `이 페이지에 ${count.toLocaleString("ko")}행 가운데 ${shown.toLocaleString("ko")}행이 있습니다. 모든 행은 oof_predictions.csv에 있습니다.`,
    right: "확률이 낮은 행부터.",
    wrong: "확신이 큰 행부터.",
  },
  en: {
    title: (label, prediction, count) => `Label ${label}, predicted ${prediction}: ${count.toLocaleString("en")} ${count === 1 ? "row" : "rows"}`,
    shown: (shown, count) => `${shown.toLocaleString("en")} of ${count.toLocaleString("en")} rows are in this page; oof_predictions.csv has all of them.`,
    right: "The least certain first.",
    wrong: "The most confident first.",
  },
};

const at = (id) => document.getElementById(id);
const data = JSON.parse(at("data").textContent);
let open = null; // {button, cell, count, shown}

function language() {
  return document.documentElement.lang === "en" ? "en" : "ko";
}

function titleOf(cell, count) {
  const names = data.labels[language()];
  const [label, prediction] = cell.split(",").map((id) => names[Number(id)]);
  return words[language()].title(label, prediction, count);
}

function remember(chosen) {
  document.documentElement.lang = chosen;
  try {
    localStorage.setItem("language", chosen);
  } catch {
    // it is asked for again next time
  }
}

function remembered() {
  try {
    return localStorage.getItem("language");
  } catch {
    return null;
  }
}

function element(tag, content, className) {
  const made = document.createElement(tag);
  made.textContent = content;
  if (className) made.className = className;
  return made;
}

function rowOf([number, file, fold, confidence, ofLabel, ...texts]) {
  const row = document.createElement("tr");
  const head = element("th", number);
  head.scope = "row";
  const name = data.rows.files[file];
  if (name !== undefined) head.append(" ", element("small", name));
  const shown = document.createElement("td");
  for (const text of texts) shown.append(element("bdi", text, "text"));
  row.append(head, shown);
  for (const value of [confidence.toFixed(4), ofLabel.toFixed(4), fold]) row.append(element("td", value, "n"));
  return row;
}

function speakCell() {
  for (const button of document.querySelectorAll("#matrix button")) {
    const { cell, count } = button.parentElement.dataset;
    button.setAttribute("aria-label", titleOf(cell, Number(count)));
  }
  if (!open) return;
  const say = words[language()];
  const [label, prediction] = open.cell.split(",");
  const rows = data.rows.cells[open.cell] ?? [];
  at("cell-title").textContent = titleOf(open.cell, open.count);
  const notes = [label === prediction ? say.right : say.wrong];
  if (rows.length < open.count) notes.unshift(say.shown(rows.length, open.count));
  at("cell-note").textContent = notes.join(" ");
}

function showMore() {
  const rows = data.rows.cells[open.cell] ?? [];
  at("cell-rows").append(...rows.slice(open.shown, open.shown + PART).map(rowOf));
  open.shown = Math.min(rows.length, open.shown + PART);
  at("more").hidden = open.shown >= rows.length;
}

function openCell(button) {
  closeCell();
  const { cell, count } = button.parentElement.dataset;
  open = { button, cell, count: Number(count), shown: 0 };
  button.setAttribute("aria-expanded", "true");
  at("cell-rows").replaceChildren();
  at("cell").hidden = false;
  speakCell();
  showMore();
  at("cell-title").focus({ preventScroll: true });
  at("cell").scrollIntoView({ block: "nearest" });
}

function closeCell() {
  if (!open) return;
  open.button.setAttribute("aria-expanded", "false");
  at("cell").hidden = true;
  open = null;
}

// One stop for Tab in the whole matrix; arrows move to the next cell that has rows.
function moveFrom(button, across, down) {
  const row = button.closest("tr");
  const rows = [...row.parentElement.rows];
  let [x, y] = [button.parentElement.cellIndex, rows.indexOf(row)];
  for (;;) {
    x += across;
    y += down;
    const there = rows[y]?.cells[x];
    if (!there) return;
    const found = there.querySelector("button");
    if (found) {
      button.tabIndex = -1;
      found.tabIndex = 0;
      found.focus();
      return;
    }
  }
}

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function makeButtons() {
  for (const cell of document.querySelectorAll("#matrix td[data-cell]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.tabIndex = -1;
    button.setAttribute("aria-expanded", "false");
    button.setAttribute("aria-controls", "cell");
    button.append(...cell.childNodes);
    button.addEventListener("click", () => {
      for (const other of document.querySelectorAll('#matrix button[tabindex="0"]')) other.tabIndex = -1;
      button.tabIndex = 0;
      openCell(button);
    });
    button.addEventListener("keydown", (event) => {
      const arrow = ARROWS[event.key];
      if (!arrow) return;
      event.preventDefault();
      moveFrom(button, ...arrow);
    });
    cell.append(button);
  }
  const first = document.querySelector("#matrix button");
  if (first) first.tabIndex = 0;
  at("matrix-hint").hidden = false;
}

if (at("cell") && data.rows) {
  makeButtons();
  at("more").addEventListener("click", showMore);
  at("close").addEventListener("click", () => {
    const { button } = open;
    closeCell();
    button.focus();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !open) return;
    const { button } = open;
    closeCell();
    button.focus();
  });
}
document.getElementById("language").addEventListener("click", () => {
  remember(language() === "ko" ? "en" : "ko");
  speakCell();
});
if (remembered() === "en") document.documentElement.lang = "en";
speakCell();
