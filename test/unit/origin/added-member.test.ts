/** A default added to a document's text and cut out of it, as `npm run apply` does on SQLite. */
import { expect, test } from 'bun:test';
import { cutMember, withMember } from '../../../origin/store/sqlite/write/added-member.ts';

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
      const added = withMember(text, path, '[1]');
      expect([text, path, added !== undefined]).toEqual([text, path, isLacking]);
      if (added === undefined) continue;
      (holder as Record<string, unknown>)[path.at(-1) ?? ''] = [1];
      expect(JSON.parse(added)).toEqual(value);
      expect(cutMember(added, path)).toEqual({ value: '[1]', without: text });
    }
  }
});

test('whatever others wrote around a member, cut out it takes one comma along', () => {
  const cut = (text: string, ...path: readonly string[]) => cutMember(text, path)?.without;
  expect(cut('{ "a" : [ ] , "b" : 2 }', 'a')).toBe('{ "b" : 2 }');
  expect(cut('{ "x": 1, "a" : [ ] , "b" : 2 }', 'a')).toBe('{ "x": 1 , "b" : 2 }');
  expect(cut('{ "x": 1, "a" : [ ] }', 'a')).toBe('{ "x": 1 }');
  expect(cut('{ "a": {"b":1} }', 'a')).toBe('{  }');
  expect(cut('{ "a": {"b":1} }', 'a', 'b')).toBe('{ "a": {} }');
  expect([cut('{"x":1}', 'a'), cut('{"a":[1]}', 'a', 'b'), cut('[1]', 'a')]).toEqual([undefined, undefined, undefined]);
});
