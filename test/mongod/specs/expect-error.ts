import { MongoBulkWriteError, MongoClientBulkWriteError, MongoError, MongoOperationTimeoutError, MongoServerError } from 'mongodb';
import { match, type MatchScope } from './match.ts';
import { must, show } from './mismatch.ts';
import type { ExpectedError, Fields } from './schema.ts';

type Place = { readonly at: string; readonly scope: MatchScope };

/** Holds an error of the driver against everything that the test says about it. */
export function expectError(expected: ExpectedError, error: unknown, place: Place): void {
  if (!(error instanceof Error)) throw new Error(`${place.at} threw ${show(error)}`);
  const answered = toServerError(error);
  expectOrigin(expected, error, answered, place.at);
  expectCodes(expected, error, answered, place.at);
  expectLabels(expected, error, answered, place.at);
  expectParts(expected, error, answered, place);
}

/** A client bulk write wraps the server's error of the whole command. */
function toServerError(error: Error): Error {
  return error instanceof MongoClientBulkWriteError && error.cause instanceof Error ? error.cause : error;
}

function expectOrigin(expected: ExpectedError, error: Error, answered: Error, at: string): void {
  must(error instanceof MongoError, at, () => `expected a driver error, got ${describe(error)}`);
  if (expected.isClientError !== undefined) {
    const isClientError = !(answered instanceof MongoServerError);
    must(isClientError === expected.isClientError, at, () => `expected a ${expected.isClientError ? 'client' : 'server'} error, got ${describe(error)}`);
  }
  if (expected.isTimeoutError !== undefined) {
    must(error instanceof MongoOperationTimeoutError === expected.isTimeoutError, at, () => `expected timeout ${expected.isTimeoutError}, got ${describe(error)}`);
  }
}

function expectCodes({ errorContains, errorCode, errorCodeName }: ExpectedError, error: Error, answered: Error, at: string): void {
  if (errorContains !== undefined) {
    must(error.message.toLowerCase().includes(errorContains.toLowerCase()), at, () => `expected a message with "${errorContains}", got ${describe(error)}`);
  }
  if (errorCode !== undefined) must(field(answered, 'code') === errorCode, at, () => `expected code ${errorCode}, got ${describe(answered)}`);
  if (errorCodeName !== undefined) {
    must(field(answered, 'codeName') === errorCodeName, at, () => `expected code name ${errorCodeName}, got ${describe(answered)}`);
  }
}

function expectLabels({ errorLabelsContain = [], errorLabelsOmit = [] }: ExpectedError, error: Error, answered: Error, at: string): void {
  const has = (label: string) => [error, answered].some(each => each instanceof MongoError && each.hasErrorLabel(label));
  for (const label of errorLabelsContain) must(has(label), at, () => `expected the label ${label}, got ${describe(error)}`);
  for (const label of errorLabelsOmit) must(!has(label), at, () => `expected no label ${label}, got ${describe(error)}`);
}

function expectParts(expected: ExpectedError, error: Error, answered: Error, { at, scope }: Place): void {
  const part = (name: string, wanted: unknown, actual: unknown) => match({ expected: wanted, actual, root: true, at: `${at}.${name}`, scope });
  if (expected.errorResponse !== undefined) part('errorResponse', expected.errorResponse, response(answered));
  if (expected.writeErrors !== undefined) {
    const actual = field(error, 'writeErrors');
    const found = actual instanceof Map ? actual : new Map<unknown, unknown>();
    for (const [index, wanted] of Object.entries(expected.writeErrors)) part(`writeErrors.${index}`, wanted, found.get(Number(index)));
    must(found.size === Object.keys(expected.writeErrors).length, `${at}.writeErrors`, () => `got ${show(actual)}`);
  }
  if (expected.writeConcernErrors !== undefined) part('writeConcernErrors', expected.writeConcernErrors, field(error, 'writeConcernErrors'));
  if ('expectResult' in expected) part('result', expected.expectResult, partialResult(error));
}

const response = (error: Error) => field(error, 'errorResponse') ?? error;

/** What was done before the error: a bulk write carries it in one of two places. */
function partialResult(error: Error): unknown {
  return error instanceof MongoBulkWriteError ? error.result : field(error, 'partialResult');
}

const field = (error: Error, name: string) => (error as unknown as Fields)[name];

export function describe(error: Error): string {
  const labels = error instanceof MongoError && error.errorLabels.length > 0 ? ` [${error.errorLabels.join(', ')}]` : '';
  const code = field(error, 'code') === undefined ? '' : ` ${field(error, 'code')} ${field(error, 'codeName') ?? ''}`;
  return `${error.constructor.name}${code.trimEnd()}${labels}: ${show(error.message)}`;
}
