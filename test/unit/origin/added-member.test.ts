/** A default added to a document's text, as `npm run apply` does on SQLite. */
import { expect, test } from 'bun:test';
import { addedMember, withoutAdded } from '../../../origin/store/sqlite/write/added-member.ts';

const texts = [
  '{}', '{ }', '{"a":1}', '{ "a" : 1 , "b" : { } }', '{"b":{"c":[{"x":1}," }{\\" "]} ,"z":1e300}', '{"b":[{}],"a":"\\u0061"}',
  '{\n "b": {\n  "c": 1\n }\n}\n', '{"\\u0062":{"d":null}}',
];

test('says what the text then says, and cut out again leaves each byte as it stood', () => {
  for (const text of texts) {
    for (const path of [['a'], ['new'], ['"q\\'], ['b', 'x'], ['b', 'c', 'x'], ['b', 'd']]) {
      const value = JSON.parse(text) as Record<string, unknown>;
      const holder = path.slice(0, -1).reduce<unknown>((each, name) => (each as Record<string, unknown> | undefined)?.[name], value);
      const isObject = typeof holder === 'object' && holder !== null && !Array.isArray(holder);
      const isLacking = isObject && !Object.hasOwn(holder, path.at(-1) ?? '');
      const added = addedMember(text, path, '[1]');
      expect([text, path, added !== undefined]).toEqual([text, path, isLacking]);
      if (added === undefined) continue;
      (holder as Record<string, unknown>)[path.at(-1) ?? ''] = [1];
      expect(JSON.parse(added.text)).toEqual(value);
      expect(withoutAdded(added.text, added)).toBe(text);
    }
  }
});
