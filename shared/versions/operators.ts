/** Operators of an older version, each place where the current one has it; what they would not do there is refused by name. */
import { operatorNames } from '../changes/operators.ts';
import { stepsOf } from '../changes/spot.ts';
import { documentInvalid } from '../contract/documents.ts';
import type { FieldError } from '../wire/fault.ts';
import { toPointer } from '../wire/json-pointer.ts';
import type { Json, JsonObject } from '../wire/values.ts';
import { isPlain, upSteps, upValue } from './json-patch.ts';
import type { Translation } from './translation.ts';

/** Those that bring values which stand there afterwards, or were there before. */
const valued: ReadonlySet<string> = new Set(['set', 'append', 'addToSet', 'remove']);

/** `body`: of the form that operators have. */
export function upChanges(body: JsonObject, translation: Translation): JsonObject {
  const errors: FieldError[] = [];
  const current = Object.entries(body).map(([operator, places]) => {
    const moved = Object.entries(places as JsonObject).map(([text, operand]): [string, Json] => {
      const refuse = (member: string, detail: string) => {
        errors.push({ at: toPointer([operator, text]) + member.replace(/^(?:path|value)/, ''), in: 'body', detail });
      };
      return upPlace(operator, text, { operand, translation, refuse });
    });
    return [operator, Object.fromEntries(moved)] as const;
  });
  if (errors.length > 0) throw documentInvalid(errors);
  return Object.fromEntries(current);
}

interface Operand {
  readonly operand: Json;
  readonly translation: Translation;
  readonly refuse: (member: string, detail: string) => void;
}

function upPlace(operator: string, text: string, { operand, translation, refuse }: Operand): [string, Json] {
  const steps = stepsOf(text);
  const now = upSteps(steps, translation);
  if (typeof now === 'string') {
    refuse('path', now);
    return [text, operand];
  }
  const name = text.startsWith('/') ? toPointer(now) : now.join('.');
  if (valued.has(operator)) return [name, upValue(operand, { steps, now }, translation, refuse)];
  if (operator !== 'unset' && !isPlain(steps, translation)) refuse('path', 'is of another form in the current version; send a merge patch');
  return [name, operand];
}

/** A pointer into operators of the current version, as the client's version wrote it. */
export function downOperatorPointer(pointer: string, translation: Translation): string {
  const [operator = '', text = '', ...rest] = stepsOf(pointer);
  if (text === '' || !operatorNames.has(operator)) return pointer;
  const name = text.startsWith('/') ? translation.downPointer(text) : translation.downPath(text);
  return toPointer([operator, name, ...rest]);
}
