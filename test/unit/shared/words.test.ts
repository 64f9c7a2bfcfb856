/** Folding and words (SEMANTICS §7): what a question finds is said by a slow reading of the same sentences. */
import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { fold } from '../../../shared/text/fold.ts';
import { askedWords, hasAll, tokenOf, tokensOf, wordsIn } from '../../../shared/text/words.ts';
import { limits } from '../../../shared/wire/limits.ts';

/** Letters of scripts with and without spaces, marks before and after composition, and what is no letter. */
const texts = fc.array(
  fc.constantFrom(...'aAbéÉßẞİıσςΣйИだダ東京都한국กำשָׁعَ0１ﬁ', 'e\u0301', '\u0301', ' ', ' ', '-', "'", '"', '*', '😀', '𐐀', '𐐨', 'th', 'third'),
  { maxLength: 24 },
).map((parts) => parts.join(''));

const isFoundIn = (text: string, asked: string) => hasAll(wordsIn([text]), askedWords(asked));

describe('folding', () => {
  test('makes every character what its upper and lower case are made, and folds twice as once', () => {
    const wrong: string[] = [];
    for (let code = 0; code < 0x20000; code++) {
      if (code >= 0xd800 && code < 0xe000) continue;
      const character = String.fromCodePoint(code);
      const folded = fold(character);
      const others = [folded, character.toUpperCase(), character.toLowerCase(), character.normalize('NFD'), character.normalize('NFKC')];
      if (others.some((other) => fold(other) !== folded)) wrong.push(code.toString(16));
    }
    expect(wrong).toEqual([]);
  });

  test.each([
    ['Straße', 'STRASSE'], ['Élan', 'elan'], ['ΣΊΣΥΦΟΣ', 'σισυφος'], ['İstanbul', 'istanbul'], ['ﬁlm', 'FILM'], ['Ｆｕｌｌ', 'full'],
    ['Ångström', 'angstrom'], ['Київ', 'КИЇВ'], ['שָׁלוֹם', 'שלום'], ['مُحَمَّد', 'محمد'],
  ])('makes %s and %s one', (left, right) => expect(fold(left)).toBe(fold(right)));

  test.each([['が', 'か'], ['ø', 'o'], ['कि', 'का'], ['한', '하']])('keeps %s and %s apart', (left, right) =>
    expect(fold(left)).not.toBe(fold(right)));
});

describe('words', () => {
  test.each([
    ['The Third Man', 'third man'], ['The Third Man', 'MAN thi'], ["O'Brien & sons", 'brien'], ['a 1949 film', '194'], ['東京都庁', '京都'],
    ['東京都庁', '庁'], ['서울에서', '서울'], ['ภาษาไทย', 'ไทย'], ['naïve café', 'cafe NAI'], ['x-ray', 'x'], ['film noir', '"noir" (film)* -'],
  ])('%s is found by %s', (text, asked) => expect(isFoundIn(text, asked)).toBe(true));

  test.each([
    ['The Third Man', 'third woman'], ['The Third Man', 'hird'], ['the', 'th'], ['東京都', '都京'], ['東京 都', '京都'],
    ['film noir', 'film OR noir'], ['film noir', 'noir NEAR film'],
  ])('%s is not found by %s', (text, asked) => expect(isFoundIn(text, asked)).toBe(false));

  test('of a question are the same in whatever order and form they are written', () => {
    expect(askedWords('Third, third MÁN!')).toEqual(askedWords('man third'));
    expect(askedWords('"*" - \u0301 😀')).toEqual([]);
  });

  test('every document that a question finds has the token that is walked for each of its words', () => {
    fc.assert(fc.property(texts, texts, (text, asked) => {
      const words = wordsIn([text]);
      const tokens = new Set(tokensOf(words));
      for (const each of askedWords(asked)) expect(hasAll(words, [each]) && !tokens.has(tokenOf(each))).toBe(false);
    }), { numRuns: 2_000 });
  });

  test('a text finds itself, and so does the beginning of each of its words', () => {
    fc.assert(fc.property(texts, (text) => {
      expect(isFoundIn(text, text)).toBe(true);
      for (const word of wordsIn([text])) {
        if ([...word].length >= 3) expect(isFoundIn(text, [...word].slice(0, 3).join(''))).toBe(true);
      }
    }), { numRuns: 1_000 });
  });

  test('past the bounds are not found, and have no part in tokens', () => {
    const many = Array.from({ length: limits.textDocumentWordsMax + 5 }, (_, index) => `w${String(index).padStart(5, '0')}`);
    const words = wordsIn([many.join(' ')]);
    expect([words.size, words.has(many.at(-6) ?? ''), words.has(many.at(-5) ?? '')]).toEqual([limits.textDocumentWordsMax, true, false]);
    const long = 'x'.repeat(limits.textWordLettersMax + 9);
    expect([...wordsIn([long])]).toEqual(['x'.repeat(limits.textWordLettersMax)]);
    expect(isFoundIn(long, `${long}yz`)).toBe(true);
  });
});
