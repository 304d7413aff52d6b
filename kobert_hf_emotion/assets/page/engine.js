// Answers for page.js, asked of the server that shows the page. Another engine, such as one that computes in the
// browser, stands in for this file with the same exports:
//   labels() -> Promise of the names of the emotions, in the order of their ids
//   predict(texts, signal) -> Promise of [{label, score (0 to 1), probabilities ({name: percent}), unreadable, error}],
//     and of a multi-label model `labels`, those given
//   thresholds() -> of a multi-label model Promise of {values: {name: 0 to 1}, source: what they were fitted on, or null,
//     allowEmpty}
//   useKey(key), which an engine without a key leaves out
// What fails throws an Error with `status`, the HTTP status, where there is one.

let key = "";

export function useKey(given) {
  key = String.fromCharCode(...new TextEncoder().encode(given)); // a header holds bytes, not Hangul
}

export async function labels() {
  return (await ask("labels", {})).labels;
}

export async function thresholds() {
  const { labels: names, thresholds: values, thresholds_from: source, allow_empty: allowEmpty } = await ask("labels", {});
  return { values: Object.fromEntries(names.map((name, index) => [name, values[index]])), source, allowEmpty };
}

export async function predict(texts, signal) {
  const headers = { "Content-Type": "application/json" };
  if (key) headers["X-API-Key"] = key;
  try {
    const answer = await ask("predict", { method: "POST", headers, body: JSON.stringify({ texts }), signal });
    const unreadable = new Set(answer.warnings.flatMap((warning) => warning.texts));
    return answer.predictions.map((prediction, index) => ({ ...prediction, unreadable: unreadable.has(index) }));
  } catch (error) {
    if (error.status === 413 && texts.length > 1) {
      const half = texts.length >> 1;
      return [...(await predict(texts.slice(0, half), signal)), ...(await predict(texts.slice(half), signal))];
    }
    if (error.status !== 429) throw error;
    await pause(1000 * (error.retryAfter || 1), signal);
    return predict(texts, signal);
  }
}

async function ask(path, options) {
  const response = await fetch(path, options);
  if (response.ok) return response.json();
  let message = `HTTP ${response.status}`;
  try {
    message = (await response.json()).error || message;
  } catch {
    // whatever stands before the server answered in its own way
  }
  const error = new Error(message);
  error.status = response.status;
  error.retryAfter = Number(response.headers.get("Retry-After"));
  throw error;
}

function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new DOMException("aborted", "AbortError"));
    });
  });
}
