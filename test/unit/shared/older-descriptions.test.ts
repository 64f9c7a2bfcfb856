/** What is described of an older version and what is served in it are the same (SEMANTICS §19). */
import { expect, test } from 'bun:test';
import { Ajv2020 } from 'ajv/dist/2020';
import { bodiesOf } from '../../../shared/contract/documents.ts';
import { toDescription } from '../../../shared/openapi/document.ts';
import { offered } from '../../../shared/resources/plans.ts';
import { translationOf } from '../../../shared/versions/dialect.ts';
import type { Translation } from '../../../shared/versions/translation.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../shared/wire/values.ts';
import { randomContract } from '../../support/random-contract.ts';
import { Random } from '../../support/random.ts';

type Part = 'things' | 'things.part' | 'things.create' | 'things.replace' | 'things.patch';

/** Validators of the schemas of a description, and the description itself. */
function read(description: JsonObject) {
  const ajv = new Ajv2020({ strict: false, validateFormats: false }).addSchema({ $id: 'http://api/', ...description });
  const made = new Map<Part, ReturnType<typeof ajv.compile>>();
  return (part: Part, value: Json): readonly unknown[] => {
    const isValid = made.get(part) ?? ajv.compile({ $ref: `http://api/#/components/schemas/${part}` });
    made.set(part, isValid);
    return isValid(value) ? [] : [part, value, isValid.errors];
  };
}

function isTaken(translation: Translation, body: JsonObject, take: (body: JsonObject) => { readonly success: boolean }): boolean {
  try {
    return take(translation.up(body, 'document')).success;
  } catch {
    return false;
  }
}

/** The same document with a member more, in one of its objects. */
function withStranger(random: Random, value: JsonObject, name: string): JsonObject {
  const [inner, member] = random.pick(Object.entries(value).filter(([, each]) => isJsonObject(each))) ?? [];
  if (inner === undefined || !isJsonObject(member ?? null) || random.chance(0.5)) return { ...value, [name]: 'x' };
  return { ...value, [inner]: withStranger(random, member as JsonObject, name) };
}

const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);

test.each(Array.from({ length: 25 }, (_each, round) => seed * 100 + round))(
  'what a random contract takes and shows in older versions is what is described there (seed %d)', (own) => {
    const random = new Random(own);
    const { contract, resource, changes, document } = randomContract(random);
    const bodies = bodiesOf(resource);
    expect(contract.mistakes).toEqual([]);
    for (const version of contract.versions.all) {
      const translation = translationOf(contract.versions, resource, version);
      if (translation === undefined) continue;
      const description = toDescription({ contract, plans: offered, paths: {} }, version);
      const refusalsOf = read(description);
      const name = [own, version.name, changes];
      for (let round = 0; round < 10; round++) {
        const body = document();
        const stored: JsonObject = { id: '01890a5d-ac96-774b-bcce-b302099a8057', ...bodies.create.parse(body) };
        const shown = translation.down(stored);
        const { id: _id, ...sent } = shown;
        for (const part of ['things', 'things.part', 'things.replace'] as const) {
          expect([name, stored, refusalsOf(part, shown)]).toEqual([name, stored, []]);
        }
        expect([name, stored, refusalsOf('things.create', sent)]).toEqual([name, stored, []]);
        const strange = withStranger(random, sent, 'stranger');
        // A record takes it, and nothing else does.
        const isRefused = refusalsOf('things.create', strange).length > 0;
        const isServed = isTaken(translation, strange, (up) => bodies.create.safeParse(up));
        expect([name, strange, isRefused && isServed]).toEqual([name, strange, false]);
      }
    }
  },
);
