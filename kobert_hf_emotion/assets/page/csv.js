// CSV files: bytes to rows and back.

// Hangul files are UTF-8, or CP949, which browsers call euc-kr.
export function decode(bytes) {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder("utf-16le").decode(bytes);
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder("utf-16be").decode(bytes);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder("euc-kr").decode(bytes);
  }
}

// Rows of cells; `delimiter` is told from the first line if left out. Lines without any cell are left out.
export function parse(text, delimiter = guessDelimiter(text)) {
  const rows = [];
  let row = [];
  let cell = "";
  let quoted = false;
  let wasQuoted = false;
  const endCell = () => {
    row.push(cell);
    cell = "";
    wasQuoted = false;
  };
  const endRow = () => {
    endCell();
    if (row.length > 1 || row[0] !== "") rows.push(row);
    row = [];
  };
  for (let index = 0; index < text.length; index += 1) {
    const letter = text[index];
    if (quoted) {
      if (letter !== '"') cell += letter;
      else if (text[index + 1] === '"') {
        cell += '"';
        index += 1;
      } else quoted = false;
    } else if (letter === '"' && cell === "" && !wasQuoted) {
      quoted = true;
      wasQuoted = true;
    } else if (letter === delimiter) endCell();
    else if (letter === "\n" || letter === "\r") {
      if (letter === "\r" && text[index + 1] === "\n") index += 1;
      endRow();
    } else cell += letter;
  }
  if (cell !== "" || row.length > 0) endRow();
  return rows;
}

// Rows of one cell, a line each; empty lines are left out.
export function lines(text) {
  return text.split(/\r\n|\n|\r/).filter((line) => line.trim() !== "").map((line) => [line]);
}

function guessDelimiter(text) {
  const line = text.slice(0, 10000).split(/[\r\n]/, 1)[0].replace(/"[^"]*"/g, "");
  const counts = [",", "\t", ";", "|"].map((mark) => [line.split(mark).length, mark]);
  return counts.reduce((best, next) => (next[0] > best[0] ? next : best))[1];
}

// The column that most likely holds the texts: by its name, else the one with the most letters.
export function textColumn(rows, hasHeader) {
  const names = /^(text|texts|sentence|sentences|document|content|contents|comment|review|utterance|문장|글|내용|본문|발화|발화문|텍스트|댓글|리뷰|문장내용|대화내용|댓글내용|발화내용|리뷰내용|글내용)$/i;
  if (hasHeader) {
    const named = rows[0].findIndex((name) => names.test(name.trim()));
    if (named >= 0) return named;
  }
  const lengths = [];
  for (const row of rows.slice(hasHeader ? 1 : 0, 101)) {
    row.forEach((cell, column) => {
      lengths[column] = (lengths[column] || 0) + cell.length;
    });
  }
  return lengths.length ? lengths.indexOf(Math.max(...lengths.map((length) => length || 0))) : 0;
}

// With a byte-order mark, so that Excel opens it with its Hangul intact.
export function format(rows) {
  const quote = (cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
  return `\ufeff${rows.map((row) => row.map((cell) => quote(String(cell))).join(",")).join("\r\n")}\r\n`;
}
