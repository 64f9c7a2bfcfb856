/** Names on the wire for stored ones: letters, digits and `_`, beginning with a letter, since they stand in paths and queries. */
import { isInherited } from '../../../shared/checks/schema-checks.ts';
import { isFieldName } from '../../../shared/contract/system-fields.ts';

const nameCharactersMax = 63;

/** Letters that Unicode does not take apart. */
const letters: Readonly<Record<string, string>> = {
  ß: 'ss', æ: 'ae', Æ: 'Ae', œ: 'oe', Œ: 'Oe', ø: 'o', Ø: 'O', ł: 'l', Ł: 'L', đ: 'd', Đ: 'D',
};

/** Whether `storedAs` can name it. */
export function isDeclarable(stored: string): boolean {
  return stored !== '' && stored !== '__proto__' && !/[.\0]/.test(stored) && !stored.startsWith('$');
}

/** The wire name of each; one that is fit stays, whatever others would become. `id` at the top is that of the document. */
export function toWireNames(stored: readonly string[], { isTop }: { readonly isTop: boolean }): ReadonlyMap<string, string> {
  const isFit = (name: string): boolean => isFieldName(name) && !isInherited(name) && !(isTop && name === 'id');
  const taken = new Set([...stored.filter(isFit), ...(isTop ? ['id'] : [])]);
  return new Map(stored.map((name) => {
    if (isFit(name)) return [name, name];
    const wanted = isTop && (name === 'id' || name === '_id') ? 'externalId' : toFit(name);
    const free = firstFree(wanted, taken);
    taken.add(free);
    return [name, free];
  }));
}

function firstFree(wanted: string, taken: ReadonlySet<string>): string {
  for (let count = 1; ; count++) {
    const ending = count === 1 ? '' : String(count);
    const name = wanted.slice(0, nameCharactersMax - ending.length) + ending;
    if (!taken.has(name)) return name;
  }
}

/** `first name` is firstName, `Straße` Strasse, `_class` class, `2fa` field2fa. */
function toFit(stored: string): string {
  const [first = '', ...others] = toWords(stored.replace(/^_+/, ''));
  const joined = first + others.map(capitalised).join('');
  const name = isInherited(joined) ? `${joined}Value` : joined;
  return /^[A-Za-z]/.test(name) ? name.slice(0, nameCharactersMax) : `field${name}`.slice(0, nameCharactersMax);
}

/** Of letters, digits and `_` in ASCII. */
function toWords(text: string): readonly string[] {
  const spelt = [...text].map((letter) => letters[letter] ?? letter).join('').normalize('NFKD').replace(/\p{M}/gu, '');
  return spelt.split(/\W+/).filter((word) => word !== '');
}

export function capitalised(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

/** The name of a resource, from that of its collection; `undefined` where nothing of it can stand in a path. */
export function toResourceName(collection: string): string | undefined {
  const words = toWords(collection).flatMap((word) => word.replace(/([a-z0-9])([A-Z])/g, '$1-$2').split('_'));
  const name = words.filter((word) => word !== '').join('-').toLowerCase().slice(0, nameCharactersMax).replace(/-$/, '');
  return /^[a-z]/.test(name) ? name : undefined;
}
