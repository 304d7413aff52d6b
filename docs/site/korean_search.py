"""Search in Korean: words are indexed and looked up by pairs of neighbouring syllables.

Sphinx takes a word to be what stands between spaces, and of Korean that is a stem with its particle: who looks for
학습 would not find 학습을. Pairs of syllables (what Lucene calls bigrams of CJK) find both, without a dictionary.
"""

from __future__ import annotations

import re

from sphinx.search import SearchLanguage

_RUN = re.compile(r"[가-힣]+|[^\W가-힣]+")
_SCRIPT = r"""
function splitQuery(query) {
  const words = [];
  for (const run of query.match(/[가-힣]+|(?:(?![가-힣])[\p{Letter}\p{Number}_])+/gu) || []) {
    if (!/^[가-힣]{3,}$/.test(run)) words.push(run);
    else for (let at = 0; at + 1 < run.length; at++) words.push(run.slice(at, at + 2));
  }
  return words;
}
"""


def split(text: str) -> list[str]:
    """Returns the words of a text: runs of other letters as they are, Hangul as pairs of syllables.

    >>> split("KoBERT를 학습합니다")
    ['KoBERT', '를', '학습', '습합', '합니', '니다']
    """
    words = []
    for run in _RUN.findall(text):
        if "가" <= run[0] <= "힣" and len(run) > 2:
            words += [run[at : at + 2] for at in range(len(run) - 1)]
        else:
            words.append(run)
    return words


class KoreanSearch(SearchLanguage):
    """Korean, for Sphinx's index and the script of its search page."""

    lang = "ko"
    language_name = "Korean"
    js_splitter_code = _SCRIPT

    def split(self, input: str) -> list[str]:  # noqa: A002 - Sphinx's name
        """Returns the words that are indexed."""
        return split(input)

    def word_filter(self, word: str) -> bool:
        """Tells whether a word is indexed; a lone syllable is a word here, a lone Latin letter is not."""
        return len(word) > 1 or "가" <= word <= "힣"
