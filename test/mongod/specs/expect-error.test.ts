import { expect, test } from 'bun:test';
import { MongoNetworkError, MongoServerError } from 'mongodb';
import { expectError } from './expect-error.ts';
import type { ExpectedError } from './schema.ts';

const place = { at: 'insertOne', scope: { get: () => undefined, lsid: () => undefined } };

const duplicate = new MongoServerError({ message: 'E11000 duplicate key', code: 11000, codeName: 'DuplicateKey', keyPattern: { _id: 1 }, errorLabels: ['RetryableWriteError'] });

const accepts = (expected: ExpectedError, error: Error) => {
  try {
    expectError(expected, error, place);
    return true;
  } catch {
    return false;
  }
};

test('an error of the server is held against code, name, message, labels and response', () => {
  expect(accepts({ isError: true, isClientError: false }, duplicate)).toBe(true);
  expect(accepts({ errorCode: 11000, errorCodeName: 'DuplicateKey', errorContains: 'DUPLICATE' }, duplicate)).toBe(true);
  expect(accepts({ errorResponse: { keyPattern: { _id: 1 } } }, duplicate)).toBe(true);
  expect(accepts({ errorLabelsContain: ['RetryableWriteError'] }, duplicate)).toBe(true);
});

test('each part that is wrong is refused', () => {
  expect(accepts({ errorCode: 11001 }, duplicate)).toBe(false);
  expect(accepts({ errorCodeName: 'BadValue' }, duplicate)).toBe(false);
  expect(accepts({ errorContains: 'validation' }, duplicate)).toBe(false);
  expect(accepts({ errorResponse: { keyPattern: { a: 1 } } }, duplicate)).toBe(false);
  expect(accepts({ errorLabelsOmit: ['RetryableWriteError'] }, duplicate)).toBe(false);
  expect(accepts({ errorLabelsContain: ['TransientTransactionError'] }, duplicate)).toBe(false);
  expect(accepts({ isClientError: true }, duplicate)).toBe(false);
});

test('a lost connection is an error of the client, a mistake of the runner is none at all', () => {
  const lost = new MongoNetworkError('connection closed');
  expect(accepts({ isClientError: true }, lost)).toBe(true);
  expect(accepts({ isClientError: false }, lost)).toBe(false);
  expect(accepts({ isError: true }, new TypeError('undefined is not a function'))).toBe(false);
});
