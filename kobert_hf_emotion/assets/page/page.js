// The page: texts as they are typed, and whole files. What a model says comes from engine.js; everything that is shown
// goes in as text, never as HTML.

import { decode, format, lines, parse, textColumn } from "./csv.js";
import * as engine from "./engine.js";
import { words } from "./words.js";

const WAIT = 250; // milliseconds after the last key
const MOST_LINES = 20;
const MOST_WORDS = 60; // of a text that is asked about word by word
const PART = 200; // rows of a file that are asked for at once
const SHOWN_ROWS = 100;
const MOST_BARS = 12; // more labels than these are not all shown at once
const FIRST_BARS = 8;
const SVG = "http://www.w3.org/2000/svg";

const at = (id) => document.getElementById(id);
let language = remembered();
let say = words[language];
let typed = nothing();
let allBars = false; // whether the labels that come last are shown too
let asking = null;
let timer = 0;
let file = null; // {name, rows, column, hasHeader, predictions, done, running, stopped}

function nothing() {
  return { texts: [], predictions: [], thresholds: null, cut: false, why: [] };
}

function remembered() {
  try {
    return localStorage.getItem("language") === "en" ? "en" : "ko";
  } catch {
    return "ko";
  }
}

function element(tag, content = "", className = "") {
  const made = document.createElement(tag);
  if (content !== "") made.textContent = content;
  if (className) made.className = className;
  return made;
}

function nameOf(label) {
  return Object.hasOwn(say.labels, label) ? say.labels[label] : label;
}

// The emotions given: the most probable one, or all that a multi-label model gives, which may be none.
function given(prediction) {
  return prediction.labels ?? [prediction.label];
}

function verdict(prediction) {
  return given(prediction).map((label) => `${nameOf(label)} ${percentOf(prediction, label)}`).join(", ") || "–";
}

function percentOf(prediction, label) {
  return percent(label === prediction.label ? 100 * prediction.score : prediction.probabilities[label]);
}

// One language of words that a model's file has in both, "한국어 (English)".
function inLanguage(text) {
  const both = /^(.*[가-힣].*) \(([^가-힣]+)\)$/.exec(text);
  return both ? both[language === "ko" ? 1 : 2] : text;
}

function percent(value) {
  return `${value.toFixed(1)}%`;
}

// A bar with its name and its value, which is what a screen reader reads; and where it is to reach, if that is known.
function bar(label, share, value, isBest, threshold = null) {
  const item = element("li", "", isBest ? "best" : "");
  item.dataset.label = label;
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 100 1");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  const rectangle = document.createElementNS(SVG, "rect");
  rectangle.setAttribute("width", String(share));
  rectangle.setAttribute("height", "1");
  svg.append(rectangle);
  const shown = element("span", value, "value");
  if (threshold !== null) {
    const mark = document.createElementNS(SVG, "line");
    for (const [name, place] of Object.entries({ x1: threshold, x2: threshold, y1: 0, y2: 1 })) mark.setAttribute(name, place);
    svg.append(mark);
    shown.append(element("small", say.threshold(percent(threshold)), "threshold"));
  }
  item.append(element("span", nameOf(label), "name"), svg, shown);
  return item;
}

function show(problem, message) {
  problem.textContent = message;
  problem.hidden = message === "";
}

function complain(error, problem) {
  if (error.status === 401 && engine.useKey) {
    at("key-form").hidden = false;
    show(problem, say.needsKey);
    return;
  }
  show(problem, error instanceof TypeError ? say.noServer : error.message);
}

// ---- Texts that are typed

function typing() {
  clearTimeout(timer);
  timer = setTimeout(predictTyped, WAIT);
}

async function predictTyped() {
  clearTimeout(timer);
  asking?.abort();
  const all = lines(at("text").value).map(([line]) => line.trim());
  const texts = all.slice(0, MOST_LINES);
  show(at("problem"), "");
  if (texts.length === 0) {
    typed = nothing();
    showTyped();
    return;
  }
  const mine = new AbortController();
  asking = mine;
  try {
    const predictions = await engine.predict(texts, mine.signal);
    const thresholds = predictions.some((prediction) => prediction.labels) ? await engine.thresholds() : null;
    if (asking !== mine) return;
    typed = { texts, predictions, thresholds, cut: all.length > MOST_LINES, why: [] };
    showTyped();
  } catch (error) {
    if (asking !== mine || error.name === "AbortError") return;
    typed = nothing();
    showTyped();
    complain(error, at("problem"));
  }
}

function showTyped() {
  const { texts, predictions, cut } = typed;
  at("results").replaceChildren(...texts.map((text, index) => result(text, predictions[index], index)));
  const parts = [];
  if (predictions.length === 1 && predictions[0].label !== null) {
    parts.push(verdict(predictions[0]));
  } else if (predictions.length > 0) parts.push(say.said(predictions.length));
  if (cut) parts.push(say.tooMany(MOST_LINES));
  at("status").textContent = parts.join(" ");
  at("status").classList.toggle("heard", texts.length === 1); // who sees reads it above the bars
}

function result(text, prediction, index) {
  const item = element("li", "", "result");
  if (typed.texts.length > 1) item.append(element("blockquote", text));
  if (prediction.label === null) {
    item.append(element("p", `${say.failed}: ${prediction.error}`, "unreadable"));
    return item;
  }
  item.append(element("p", verdict(prediction), "verdict"));
  if (prediction.unreadable) item.append(element("p", say.unreadable, "unreadable"));
  if (prediction.labels && index === 0) item.append(element("p", aboutThresholds(), "hint"));
  item.append(...bars(prediction), typed.why[index] ? byWord(typed.why[index]) : whyButton(text, prediction, index));
  return item;
}

function aboutThresholds() {
  const { source, values, allowEmpty } = typed.thresholds;
  const parts = [say.thresholdsHint];
  if (!allowEmpty) parts.push(say.nearest);
  const isHalf = Object.values(values).every((value) => value === 0.5);
  parts.push(source ? say.thresholdsFrom(inLanguage(source)) : isHalf ? say.thresholdsUnfitted : "");
  return parts.join(" ").trim();
}

// A bar a label in the model's order; of many labels those given and the most probable first, and the rest on demand.
function bars(prediction) {
  const all = Object.entries(prediction.probabilities);
  const chosen = given(prediction);
  const list = (entries) => {
    const made = element("ul", "", "bars");
    for (const [label, share] of entries) {
      const threshold = typed.thresholds ? 100 * typed.thresholds.values[label] : null;
      made.append(bar(label, share, percent(share), chosen.includes(label), threshold));
    }
    return made;
  };
  if (all.length <= MOST_BARS) return [list(all)];
  const order = all.sort(([left, a], [right, b]) => chosen.includes(right) - chosen.includes(left) || b - a);
  const first = Math.max(FIRST_BARS, chosen.length);
  const rest = element("details");
  rest.open = allBars;
  rest.addEventListener("toggle", () => {
    allBars = rest.open;
  });
  rest.append(element("summary", say.otherLabels(all.length - first)), list(order.slice(first)));
  return first < all.length ? [list(order.slice(0, first)), rest] : [list(order)];
}

// What the probability of each emotion given loses without each word: the model is asked again without it.

function whyButton(text, prediction, index) {
  const button = element("button", say.why, "why");
  button.type = "button";
  button.addEventListener("click", async () => {
    const mine = typed;
    button.disabled = true;
    button.textContent = say.thinking;
    try {
      const parts = text.split(/\s+/).slice(0, MOST_WORDS);
      const left = parts.map((_, number) => parts.filter((_, other) => other !== number).join(" "));
      const whole = text.split(/\s+/).length > MOST_WORDS ? (await engine.predict([parts.join(" ")]))[0] : prediction;
      const answers = await engine.predict(left);
      mine.why[index] = (given(prediction).length ? given(prediction) : [prediction.label]).map((label) => {
        const before = whole.probabilities[label];
        const words = parts.map((word, number) => ({ word, change: before - (answers[number].probabilities?.[label] ?? before) }));
        return { label, words };
      });
      if (typed === mine) {
        showTyped();
        at("results").children[index].querySelector(".words").focus();
      }
    } catch (error) {
      button.disabled = false;
      button.textContent = say.why;
      complain(error, at("problem"));
    }
  });
  return button;
}

function byWord(emotions) {
  const shown = element("div", "", "words");
  shown.tabIndex = -1;
  shown.append(element("p", say.whyHint, "hint"));
  for (const { label, words: parts } of emotions) {
    if (emotions.length > 1) shown.append(element("h3", nameOf(label)));
    const line = element("p");
    const largest = Math.max(...parts.map(({ change }) => Math.abs(change)), 0.01);
    for (const { word, change } of parts) {
      const mark = element("span", word, change >= 0 ? "for" : "against");
      mark.style.setProperty("--weight", (Math.abs(change) / largest).toFixed(2));
      mark.append(element("small", ` ${change >= 0 ? "+" : "−"}${Math.abs(change).toFixed(1)}`));
      line.append(mark, " ");
    }
    shown.append(line);
  }
  return shown;
}

// ---- A file

async function open(chosen) {
  if (!chosen) return;
  if (file) file.running = false;
  const content = decode(new Uint8Array(await chosen.arrayBuffer()));
  const hasHeader = !/\.txt$/i.test(chosen.name);
  const rows = hasHeader ? parse(content) : lines(content);
  file = { name: chosen.name, rows, hasHeader, column: rows.length ? textColumn(rows, hasHeader) : 0 };
  reset();
  at("file-panel").hidden = false;
  at("header").checked = hasHeader;
  showFile();
  if (first() >= rows.length) show(at("file-problem"), say.noRows);
  at("start").focus();
}

function reset() {
  Object.assign(file, { predictions: [], done: 0, running: false, stopped: false, labels: [] });
  show(at("file-problem"), "");
}

function first() {
  return file.hasHeader ? 1 : 0;
}

function count() {
  return Math.max(0, file.rows.length - first());
}

async function predictFile() {
  reset();
  const mine = file;
  const stopping = new AbortController();
  mine.running = true;
  mine.stopping = stopping;
  showFile();
  at("stop").focus();
  try {
    mine.labels = await engine.labels();
    const texts = mine.rows.slice(first()).map((row) => row[mine.column] ?? "");
    while (mine.done < texts.length && mine.running && file === mine) {
      const part = texts.slice(mine.done, mine.done + PART);
      const filled = part.map((text, index) => [text, index]).filter(([text]) => text.trim() !== "");
      const answers = filled.length ? await engine.predict(filled.map(([text]) => text), stopping.signal) : [];
      const predictions = Array(part.length).fill(null);
      filled.forEach(([, index], position) => {
        predictions[index] = answers[position];
      });
      mine.predictions.push(...predictions);
      mine.done += part.length;
      if (file === mine) showFile();
    }
  } catch (error) {
    if (error.name !== "AbortError" && file === mine) complain(error, at("file-problem"));
  }
  if (file !== mine) return;
  const hadFocus = document.activeElement === at("stop");
  mine.running = false;
  mine.stopped = mine.done < count();
  showFile();
  if (hadFocus) at(mine.done > 0 ? "download" : "start").focus();
}

function showFile() {
  if (!file) return;
  const { rows, predictions, done, running } = file;
  const all = count();
  at("file-name").textContent = say.fileName(file.name, all);
  const options = (rows[0] ?? []).map((name, index) => {
    const option = element("option", file.hasHeader && name.trim() ? name : say.column(index + 1));
    option.value = String(index);
    return option;
  });
  at("column").replaceChildren(...options);
  at("column").value = String(file.column);
  for (const id of ["column", "header"]) at(id).disabled = running;
  at("start").hidden = running;
  at("start").disabled = all === 0;
  at("stop").hidden = !running;
  at("download").hidden = running || done === 0;
  at("progress").hidden = !running;
  at("progress").max = Math.max(1, all);
  at("progress").value = done;
  at("file-status").textContent = running ? say.progress(done, all)
    : done === 0 ? "" : file.stopped ? say.stopped(done) : say.done(all);
  showCounts();
  at("table-panel").hidden = done === 0;
  if (done === 0) return;
  const shown = Math.min(done, SHOWN_ROWS);
  at("table-panel").classList.toggle("several", predictions.some((prediction) => prediction?.labels));
  at("table-caption").textContent = say.caption(shown, done);
  at("rows").replaceChildren(...predictions.slice(0, shown).map((prediction, index) => {
    const row = element("tr");
    const text = rows[first() + index][file.column] ?? "";
    row.append(element("td", String(index + 1)), element("td", text));
    row.append(element("td", prediction?.label == null ? (prediction?.error ?? "") : emotionCell(prediction)));
    row.append(element("td", prediction?.label == null ? "" : percent(100 * prediction.score)));
    return row;
  }));
}

function showCounts() {
  const { predictions, labels } = file;
  at("counts-panel").hidden = predictions.length === 0;
  const found = predictions.filter((prediction) => prediction?.label != null);
  const counts = labels.map((label) => [label, found.filter((prediction) => given(prediction).includes(label)).length]);
  if (labels.length > MOST_BARS) counts.sort(([, left], [, right]) => right - left);
  at("counts").replaceChildren(...counts.map(([label, number]) => {
    return bar(label, found.length ? (100 * number) / found.length : 0, number.toLocaleString(language), false);
  }));
}

// Of several labels each has its probability beside it, and the next column is hidden.
function emotionCell(prediction) {
  return prediction.labels ? verdict(prediction) : nameOf(prediction.label);
}

// The labels and their probabilities as two cells of `kobert-emotion predict`.
function cells(prediction) {
  if (!prediction.labels) return [prediction.label, prediction.score];
  const chosen = prediction.labels;
  const isPlain = chosen.length > 0 && !chosen.some((label) => label.includes("|"));
  const scores = chosen.map((label) => (label === prediction.label ? prediction.score : prediction.probabilities[label] / 100));
  return [isPlain ? chosen.join("|") : JSON.stringify(chosen), scores.map((score) => score.toFixed(6)).join("|")];
}

function download() {
  const { rows, labels, predictions } = file;
  const width = Math.max(...rows.map((row) => row.length));
  const filled = (row) => [...row, ...Array(width - row.length).fill("")];
  const header = file.hasHeader ? filled(rows[0]) : Array.from({ length: width }, (_, index) => String(index + 1));
  const body = predictions.map((prediction, index) => [
    ...filled(rows[first() + index]),
    ...(prediction?.label == null ? Array(2 + labels.length).fill("")
      : [...cells(prediction), ...labels.map((label) => prediction.probabilities[label])]),
  ]);
  const content = format([[...header, "predicted", "score", ...labels], ...body]);
  const link = element("a");
  link.href = URL.createObjectURL(new Blob([content], { type: "text/csv" }));
  link.download = `${file.name.replace(/\.[^.]*$/, "")}_predictions.csv`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

// ---- Language

function speak() {
  say = words[language];
  document.documentElement.lang = language;
  document.title = say.title;
  for (const part of document.querySelectorAll("[data-say]")) part.textContent = say[part.dataset.say];
  at("language").textContent = say.other;
  at("language").lang = language === "ko" ? "en" : "ko";
  at("text").placeholder = say.placeholder;
  showTyped();
  showFile();
}

at("language").addEventListener("click", () => {
  language = language === "ko" ? "en" : "ko";
  try {
    localStorage.setItem("language", language);
  } catch {
    // it is asked for again next time
  }
  speak();
});
at("text").addEventListener("input", typing);
at("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  engine.useKey(at("key").value);
  at("key-form").hidden = true;
  show(at("file-problem"), "");
  at("text").focus();
  predictTyped();
});
at("file").addEventListener("change", () => open(at("file").files[0]));
at("column").addEventListener("change", () => {
  file.column = Number(at("column").value);
  reset();
  showFile();
});
at("header").addEventListener("change", () => {
  file.hasHeader = at("header").checked;
  reset();
  showFile();
});
at("start").addEventListener("click", predictFile);
at("stop").addEventListener("click", () => {
  file.running = false;
  file.stopping.abort();
});
at("download").addEventListener("click", download);
for (const kind of ["dragenter", "dragover"]) {
  document.addEventListener(kind, (event) => {
    event.preventDefault();
    at("drop").classList.add("over");
  });
}
for (const kind of ["dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    event.preventDefault();
    if (kind === "drop" || event.relatedTarget === null) at("drop").classList.remove("over");
  });
}
document.addEventListener("drop", (event) => open(event.dataTransfer?.files[0]));
speak();
