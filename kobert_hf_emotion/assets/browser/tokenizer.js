/**
 * KoBERT's tokenizer, with the ids of `KoBERTTokenizer` for every text.
 *
 * Scores are added up as SentencePiece does, in single precision: among segmentations of equal score, engines that use
 * double precision choose another one.
 */

const FINAL_CONSONANTS = /[\u11a8-\u11c2ㄳㄵㄶㄺ-ㄿ\uffa3\uffa5\uffa6\uffaa-\uffaf]/u;
const CJK_IDEOGRAPHS =
  /[\u4e00-\u9fff\u3400-\u4dbf\u{20000}-\u{2a6df}\u{2a700}-\u{2b73f}\u{2b740}-\u{2b81f}\u{2b820}-\u{2ceaf}\uf900-\ufaff\u{2f800}-\u{2fa1f}]/u;
const PUNCTUATION = /[\p{P}!-/:-@[-`{-~]/u;
const UNKNOWN_PENALTY = 10;

export class Tokenizer {
  /**
   * @param {object} file tokenizer.json
   * @param {object} settings of site.json: wordSplit, maxLength, removed, spaces, marks (classes of characters) and
   *   digitComma (scores of the pieces that tokenizer.json never chooses)
   */
  constructor(file, settings) {
    const { vocab, unk_id: unknown } = file.model;
    this.settings = settings;
    this.unknown = unknown;
    this.ids = new Map();
    this.scores = new Map();
    this.longest = 1;
    let smallest = Infinity;
    const special = new Map(file.added_tokens.map(({ content, id }) => [content, id]));
    vocab.forEach(([piece, stored], id) => {
      this.ids.set(piece, id);
      if (special.has(piece)) return;
      const score = settings.digitComma[piece] ?? stored;
      this.scores.set(piece, score);
      this.longest = Math.max(this.longest, piece.length);
      smallest = Math.min(smallest, score);
    });
    for (const [token, id] of special) this.ids.set(token, id);
    this.unknownScore = Math.fround(smallest - UNKNOWN_PENALTY);
    this.special = new RegExp(`(${[...special.keys()].map(escaped).join("|")})`, "u");
    this.removed = settings.removed ? new RegExp(settings.removed, "gu") : null;
    this.spaces = new RegExp(`${settings.spaces}+`, "gu");
    this.marks = new RegExp(settings.marks, "gu");
  }

  /** Returns [CLS] … [SEP], at most `maxLength` ids. */
  encode(text) {
    const ids = this.pieces(text).map((piece) => this.ids.get(piece) ?? this.unknown);
    return [this.ids.get("[CLS]"), ...ids.slice(0, this.settings.maxLength - 2), this.ids.get("[SEP]")];
  }

  /** Whether ids of `encode` hold nothing that was read, or half or more of them are unknown. */
  isUnreadable(ids) {
    const inside = ids.slice(1, -1);
    return 2 * inside.filter((id) => id === this.unknown).length >= inside.length;
  }

  /** Splits a text into pieces; one that is not in the vocabulary stands for what could not be read. */
  pieces(text) {
    if (this.settings.wordSplit === "gluonnlp") return this.words(text).flatMap((word) => this.segment(word));
    // Special tokens that are written out stand for themselves.
    return text.split(this.special).flatMap((part, index) => (index % 2 ? [part] : this.plainPieces(part)));
  }

  /** As SKT's tokenizer, which is XLNet's: accents go, and pieces such as "▁10," are split again. */
  plainPieces(text) {
    const quoted = text.replaceAll("``", '"').replaceAll("''", '"');
    const plain = wellFormed(quoted.normalize("NFKD").replace(this.marks, ""));
    return this.segment(plain).flatMap((piece) => (/.\d,$|^\d,$/.test(piece) ? this.withoutComma(piece) : [piece]));
  }

  withoutComma(piece) {
    const parts = this.segment(piece.slice(0, -1).replaceAll("▁", ""));
    if (!piece.startsWith("▁") && parts[0].startsWith("▁")) parts[0] = parts[0].slice(1);
    return [...parts.filter((part) => part), ","];
  }

  /** As gluonnlp's basic tokenizer, which splits at punctuation and ideographs first. */
  words(text) {
    let spaced = Array.from(text.normalize("NFC"), gluonCharacter).join("");
    if (FINAL_CONSONANTS.test(spaced)) spaced = spaced.normalize("NFD");
    return spaced.replace(this.spaces, " ").split(" ").filter((word) => word);
  }

  /** SentencePiece: normalizes a text, then finds the pieces whose scores add up to most. */
  segment(text) {
    const visible = this.removed ? text.replace(this.removed, "") : text;
    const composed = visible.split("～").map((part) => part.normalize("NFKC")).join("～"); // which SentencePiece keeps
    const collapsed = composed.replace(this.spaces, " ").replace(/^ | $/g, "");
    return collapsed ? this.bestPath(`▁${collapsed.replaceAll(" ", "▁")}`) : [];
  }

  bestPath(text) {
    const size = text.length;
    const best = new Float32Array(size + 1);
    const from = new Int32Array(size + 1).fill(-1);
    const known = new Uint8Array(size + 1);
    for (let start = 0; start < size; ) {
      const width = text.codePointAt(start) > 0xffff ? 2 : 1;
      let single = false;
      for (let end = start + 1; end <= Math.min(size, start + this.longest); end += 1) {
        const score = this.scores.get(text.slice(start, end));
        if (score === undefined) continue;
        single ||= end === start + width;
        this.reach(best, from, known, start, end, Math.fround(best[start] + score), 1);
      }
      if (!single) {
        const score = Math.fround(best[start] + this.unknownScore);
        this.reach(best, from, known, start, start + width, score, 0);
      }
      start += width;
    }
    const pieces = [];
    for (let end = size, unread = false; end > 0; end = from[end]) {
      const piece = text.slice(from[end], end);
      if (!known[end] && unread) pieces[pieces.length - 1] = piece + pieces.at(-1);
      else pieces.push(piece);
      unread = !known[end];
    }
    return pieces.reverse();
  }

  reach(best, from, known, start, end, score, isKnown) {
    if (from[end] !== -1 && score <= best[end]) return;
    best[end] = score;
    from[end] = start;
    known[end] = isKnown;
  }
}

function gluonCharacter(character) {
  if (/[ \t\n\r\p{Zs}]/u.test(character)) return " ";
  if (/[\0\ufffd\p{Cc}\p{Cf}\p{Cs}]/u.test(character)) return "";
  if (character >= "가" && character <= "힣") return character;
  const parts = Array.from(character.normalize("NFD").replace(/\p{Mn}/gu, ""));
  const spaced = parts.map((part) => (PUNCTUATION.test(part) ? ` ${part} ` : part)).join("");
  return CJK_IDEOGRAPHS.test(character) ? ` ${spaced} ` : spaced;
}

/** Halves of a surrogate pair are no text. */
function wellFormed(text) {
  return text.replace(/\p{Cs}/gu, "\ufffd");
}

function escaped(text) {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
