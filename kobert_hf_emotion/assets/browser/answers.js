/** From logits to answers. */

/**
 * What logits say, as `predict` in Python has it: by the temperature and softmax or, of a model that gives a text several
 * labels, by the scale of each label, sigmoid and its threshold.
 *
 * @param {ArrayLike<number>} logits
 * @param {object} settings of site.json
 * @returns {{label: string, score: number, probabilities: Object<string, number>, labels?: string[]}}
 */
export function prediction(logits, settings) {
  return settings.thresholds ? several(logits, settings) : single(logits, settings);
}

function several(logits, { labels: names, scales, thresholds, allowEmpty }) {
  const scaled = Array.from(logits, (logit, index) => logit * scales[index][0] + scales[index][1]);
  const scores = scaled.map((logit) => 1 / (1 + Math.exp(-logit)));
  const chosen = scores.map((score, index) => score >= thresholds[index]);
  if (!allowEmpty && !chosen.includes(true)) {
    const margins = scores.map((score, index) => logOdds(score) - logOdds(thresholds[index]));
    chosen[margins.indexOf(Math.max(...margins))] = true;
  }
  const order = names.map((_, index) => index).sort((left, right) => scores[right] - scores[left]);
  const best = scores.indexOf(Math.max(...scores));
  return {
    label: names[best],
    score: scores[best],
    probabilities: inPercent(scores, names),
    labels: order.filter((index) => chosen[index]).map((index) => names[index]),
  };
}

function logOdds(probability) {
  const inside = Math.min(Math.max(probability, 1e-12), 1 - 1e-12);
  return Math.log(inside) - Math.log1p(-inside);
}

function inPercent(scores, names) {
  return Object.fromEntries(scores.map((score, index) => [names[index], Math.round(score * 1e4) / 100]));
}

function single(logits, { labels: names, temperature }) {
  const scaled = Array.from(logits, (logit) => logit / temperature);
  const largest = Math.max(...scaled);
  const powers = scaled.map((value) => Math.exp(value - largest));
  const sum = powers.reduce((left, right) => left + right);
  const scores = powers.map((power) => power / sum);
  const best = scores.indexOf(Math.max(...scores));
  return { label: names[best], score: scores[best], probabilities: inPercent(scores, names) };
}
