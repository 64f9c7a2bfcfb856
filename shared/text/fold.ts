/**
 * Text without its case and accents (SEMANTICS §7): texts are the same here that differ in upper and lower case, in accents
 * and points, or in the form of a letter (`ﬁ`, `Ｆ`). Folding twice folds once. What is a letter of its own stays one:
 * `が` is not `か`, and the vowels that Indic scripts write as marks are kept.
 */
const accents = /[[[\p{Script=Inherited}\p{Script=Hebrew}\p{Script=Arabic}]&&\p{Mn}]--[\u3099\u309a]]/gv;

export function fold(text: string): string {
  // By upper case and back: ß is ss, as Unicode's full case folding has it. The final sigma is a sigma.
  const cased = text.normalize('NFKD').toLowerCase().toUpperCase().toLowerCase().replaceAll('ς', 'σ');
  return cased.normalize('NFKD').replace(accents, '').normalize('NFC');
}
