/**
 * Words of texts and of what is asked of them, by one rule for everybody (SEMANTICS §7). A word is a run of letters, digits and
 * marks, folded. What is written without spaces gives its letters and each two neighbours as words. A word of three letters
 * and more that is asked for is the beginning of those that it finds; a shorter one is the whole of it.
 */
import { limits } from '../wire/limits.ts';
import { fold } from './fold.ts';

const unspacedScripts = ['Han', 'Hiragana', 'Katakana', 'Hangul', 'Thai', 'Lao', 'Khmer', 'Myanmar']
  .map((name) => `\\p{scx=${name}}`).join('');
const inWords = String.raw`[\p{L}\p{N}\p{M}]`;
/** A run of scripts that are written without spaces, or whose words take endings (Hangul), or another run. */
const runs = new RegExp(`([${inWords}&&[${unspacedScripts}]]+)|[${inWords}--[${unspacedScripts}]]+`, 'gv');

const beginningLettersMin = 3;
/** Of a word these beginnings are kept, in letters: a word that is asked for walks the longest that it has. Each costs what a word does. */
const beginningLetters = [3, 5] as const;

/** The first different words of texts, as many as are kept of a document. */
export function wordsIn(texts: Iterable<string>): ReadonlySet<string> {
  const words = new Set<string>();
  for (const text of texts) {
    for (const [run, unspaced] of fold(text).matchAll(runs)) {
      for (const word of unspaced === undefined ? [toWord(run)] : [...unspaced, ...pairsOf(unspaced)]) words.add(word);
      if (words.size >= limits.textDocumentWordsMax) return new Set([...words].slice(0, limits.textDocumentWordsMax));
    }
  }
  return words;
}

/** What a text asks for: each word once, in an order of their own, so that equal questions are equal. */
export function askedWords(text: string): readonly string[] {
  const words = [...fold(text).matchAll(runs)].flatMap(([run, unspaced]) => {
    if (unspaced === undefined) return [toWord(run)];
    const pairs = pairsOf(unspaced);
    return pairs.length === 0 ? [unspaced] : pairs;
  });
  return [...new Set(words)].sort();
}

/** Whether each asked word is among the words, or begins one of them. */
export function hasAll(words: ReadonlySet<string>, asked: readonly string[]): boolean {
  return asked.every((each) => words.has(each) || (isBeginning(each) && [...words].some((word) => word.startsWith(each))));
}

/** What is kept of words under an index: the short ones, and beginnings of the others. */
export function tokensOf(words: ReadonlySet<string>): readonly string[] {
  const tokens = new Set<string>();
  for (const word of words) {
    const beginnings = isBeginning(word) ? beginningLetters.map((count) => beginningOf(word, count)) : [word];
    for (const token of beginnings) if (token !== undefined) tokens.add(token);
  }
  return [...tokens];
}

/** The token that every document with this word has. */
export function tokenOf(asked: string): string {
  const [longest = asked] = tokensOf(new Set([asked])).toReversed();
  return longest;
}

function isBeginning(word: string): boolean {
  return beginningOf(word, beginningLettersMin) !== undefined;
}

/** The first so many letters; `undefined`: there are fewer. A letter of two UTF-16 units is one. */
function beginningOf(word: string, letters: number): string | undefined {
  let end = 0;
  for (let letter = 0; letter < letters; letter++) {
    const code = word.codePointAt(end);
    if (code === undefined) return undefined;
    end += code > 0xffff ? 2 : 1;
  }
  return word.slice(0, end);
}

/** The end of what is too long for a word is not looked at, here and there. */
function toWord(run: string): string {
  return run.length <= limits.textWordLettersMax ? run : [...run].slice(0, limits.textWordLettersMax).join('');
}

function pairsOf(run: string): readonly string[] {
  const letters = [...run];
  return letters.slice(1).map((letter, index) => `${letters[index]}${letter}`);
}
