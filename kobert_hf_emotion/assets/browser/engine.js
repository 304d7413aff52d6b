/**
 * Answers for page.js, computed in the browser: KoBERT's tokenizer, and the graph in ONNX Runtime's WebAssembly.
 *
 * A text is computed by itself: an int8 graph has one scale for all of a batch, so that neighbours would move its scores.
 */

import * as ort from "./runtime/ort.wasm.min.mjs";
import { prediction } from "./answers.js";
import { Tokenizer } from "./tokenizer.js";

ort.env.wasm.wasmPaths = new URL("runtime/", import.meta.url).href;
ort.env.wasm.numThreads = 1; // more need headers that a plain file server does not send
const SMOOTH_MS = 50; // how long the page may wait for its turn

let loading;

/** Loads the model once. */
export function load() {
  loading ??= open();
  loading.catch(() => (loading = undefined)); // a next call tries again
  return loading;
}

/** Names of the labels in the order of their ids. */
export async function labels() {
  return (await load()).settings.labels;
}

/** Where the probabilities of a multi-label model's labels are to reach, and what that was fitted on. */
export async function thresholds() {
  const { labels: names, thresholds: values, thresholdsFrom: source, allowEmpty } = (await load()).settings;
  return { values: Object.fromEntries(names.map((name, index) => [name, values[index]])), source, allowEmpty };
}

/**
 * Predicts the emotion of texts.
 *
 * @param {string[]} texts
 * @param {AbortSignal} [signal] ends it
 * @returns {Promise<{label: string, score: number, probabilities: Object<string, number>, labels?: string[],
 *   unreadable: boolean}[]>} score from 0 to 1, probabilities in percent, of a multi-label model the labels given, and
 *   whether the tokenizer can't read the text
 */
export async function predict(texts, signal) {
  const { settings, tokenizer, session } = await load();
  const predictions = [];
  let turn = performance.now();
  for (const text of texts) {
    signal?.throwIfAborted();
    const ids = tokenizer.encode(text);
    const logits = await run(session, settings, ids);
    predictions.push({ ...prediction(logits, settings), unreadable: tokenizer.isUnreadable(ids) });
    if (performance.now() - turn > SMOOTH_MS) {
      await new Promise((done) => setTimeout(done));
      turn = performance.now();
    }
  }
  return predictions;
}

async function open() {
  const [settings, file] = await Promise.all([json("site.json"), json("model/tokenizer.json")]);
  const session = await ort.InferenceSession.create(address(`model/${settings.graph}`), {
    executionProviders: ["wasm"],
  });
  return { settings, tokenizer: new Tokenizer(file, settings), session };
}

async function run(session, settings, ids) {
  const shape = [1, ids.length];
  const columns = {
    input_ids: BigInt64Array.from(ids, BigInt),
    attention_mask: new BigInt64Array(ids.length).fill(1n),
    token_type_ids: new BigInt64Array(ids.length),
  };
  const feeds = Object.fromEntries(
    settings.inputs.map((name) => [name, new ort.Tensor("int64", columns[name], shape)]),
  );
  const { logits } = await session.run(feeds);
  return logits.data;
}

async function json(path) {
  const response = await fetch(address(path));
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response.json();
}

function address(path) {
  return new URL(path, import.meta.url).href;
}
