/** Ids, secrets and shapes of what is adopted. */
import { describe, expect, test } from 'bun:test';
import type { IndexDescriptionInfo } from 'mongodb';
import { Binary, BSONRegExp, Decimal128, Double, Int32, Long, ObjectId } from 'mongodb';
import { describeDocuments } from '../../../../origin/database/adopting/describe.ts';
import { describeId } from '../../../../origin/database/adopting/ids.ts';
import { describeIndexes } from '../../../../origin/database/adopting/index-shapes.ts';
import { toResourceName } from '../../../../origin/database/adopting/wire-names.ts';

const uuid = '01a22266-fb91-75bb-9c2a-1e341692867e';

describe('ids', () => {
  test.each<[string, readonly unknown[], string | undefined, readonly string[]]>([
    ['object ids', [new ObjectId(), new ObjectId()], "'objectId'", []],
    ['whole numbers of each type', [new Int32(1), new Double(2), Long.MAX_VALUE], "'integer'", []],
    ['UUIDs as Binary 4', [new Binary(new Uint8Array(16), 4)], "{ kind: 'uuid', storedAs: 'binary' }", []],
    ['UUIDs as text', [uuid, uuid], "'uuid'", []],
    ['UUIDs in upper case, which another spelling would not find', [uuid.toUpperCase()], "{ kind: 'string', format: z.string() }", []],
    ['texts', ['a', uuid], "{ kind: 'string', format: z.string() }", []],
    ['texts that no path can name', ['a', 'b/c', '..'], "{ kind: 'string', format: z.string() }",
      ['2 of 3 have an _id that no path can name']],
    ['what most have', [new Int32(1), new ObjectId(), new ObjectId(), 'a', { b: 1 }], "'objectId'",
      ['3 of 5 have another _id and are not served: 1 integer, 1 string, 1 object']],
    ['what most have that can be declared', [{ a: 1 }, { a: 2 }, new Date(0), 'x'], "{ kind: 'string', format: z.string() }",
      ['3 of 4 have another _id and are not served: 2 object, 1 instant']],
    ['none that can be declared', [{ a: 1 }, new Date(0), new Binary(new Uint8Array(16), 3), Decimal128.fromString('1'), new Double(0.5)],
      undefined, []],
  ])('%s', (_title, ids, code, notes) => {
    const found = describeId(ids, { isCollated: false });
    expect([found?.code, [...(found?.notes ?? [])]]).toEqual([code, [...notes]]);
  });

  test('of text in a collection with a collation are told to be refused', () => {
    const note = 'The collection has a collation, so Tombolo refuses ids of text in it';
    expect(describeId(['a'], { isCollated: true })?.notes).toEqual([note]);
    expect(describeId([uuid], { isCollated: true })?.notes).toEqual([]);
  });
});

describe('what looks secret is left out', () => {
  const leftOf = (name: string, value: unknown) => {
    const what = describeDocuments([{ _id: new Int32(1), [name]: value }]);
    return what.left.map((each) => each.replace(name, '…'));
  };

  test.each<[string, unknown]>([
    ['password', 'x'], ['passwordHash', 'x'], ['user_password', 'x'], ['PASSWORD', 'x'], ['_hashed_password', 'x'], ['pwd', 'x'],
    ['pass', 'x'], ['token', 'x'], ['accessToken', 'x'], ['refresh_tokens', ['x']], ['_session_token', 'x'], ['secret', 'x'],
    ['clientSecret', 'x'], ['apiKey', 'x'], ['api_key', 'x'], ['APIKey', 'x'], ['private-key', new Binary(new Uint8Array(3))],
    ['credentials', { a: 'x' }],
    ['salt', 'x'], ['jwt', 'x'], ['authData', { facebook: {} }], ['cvv', new Int32(123)], ['pin', new Int32(1234)], ['ssn', 'x'],
    ['otp', 'x'], ['creditCard', 'x'], ['card_number', Long.MAX_VALUE],
  ])('%s by its name', (name, value) => {
    expect(leftOf(name, value)).toEqual(['… (by its name)']);
  });

  test.each<[string, unknown]>([
    ['the hash of a password', `$2b$12$${'a'.repeat(53)}`], ['the hash of a password', '$argon2id$v=19$m=65536,t=3,p=4$c29t$aGFzaA'],
    ['the hash of a password', 'pbkdf2_sha256$260000$salt$hash='], ['a signed token', 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln'],
    ['a private key', '-----BEGIN RSA PRIVATE KEY-----\nMIIE'], ['a key of a service', `sk_${'live'}_0123456789`],
    ['an address with a password', 'postgres://ada:sesame@db.example.test/shop'], ['a signed token', ['eyJhbGciOiJIUzI1NiJ9.e30.c2ln']],
  ])('%s by its looks', (what, value) => {
    expect(leftOf('note', value)).toEqual([`… (looks like ${what})`]);
  });

  test.each<[string, unknown]>([
    ['secretary', 'x'], ['compass', 'x'], ['spin', 'x'], ['passengers', 'x'], ['tokenised', 'x'], ['passwordChangedAt', new Date(0)],
    ['tokens', new Int32(512)], ['hasPassword', true], ['pinned', true], ['saltiness', new Int32(1)], ['url', 'https://example.test/a:b@c'],
    ['email', 'ada@example.test'],
  ])('and %s is not', (name, value) => {
    expect(leftOf(name, value)).toEqual([]);
  });

  test('also inside of objects, and whole where no schema could leave it out', () => {
    const secret = { password: 'x', n: new Int32(1) };
    expect(describeDocuments([{ _id: new Int32(1), user: secret }])).toMatchObject({
      members: [{ name: 'user', type: { what: { kind: 'object', members: [{ name: 'n' }], left: ['password (by its name)'] } } }],
    });
    const several = [secret, 1, 'a', true];
    for (const mixed of [several.map((f) => ({ f })), [{ f: several }], [{ f: [new BSONRegExp('a'), secret] }]]) {
      expect(describeDocuments(mixed)).toMatchObject({ members: [], left: ['f (holds what looks secret)'] });
    }
    const map = { [uuid]: 'x', [uuid.replace('0', '1')]: `$2b$12$${'a'.repeat(53)}` };
    expect(describeDocuments([{ f: map }])).toMatchObject({ members: [], left: ['f (holds what looks secret)'] });
  });
});

describe('shapes from indexes', () => {
  const documents = describeDocuments([{
    _id: new Int32(1), year: new Int32(2000), title: 'a', genres: ['x'], flag: true, 'first name': 'b', at: new Date(0),
    ref: new ObjectId(),
    imdb: { rating: new Double(7.5), 'vote count': new Int32(1) }, grades: [{ grade: 'A', date: new Date(0) }], tags: ['y'],
    place: { type: 'Point', coordinates: [new Double(1)] }, mixed: [new Int32(1), 'a'], odd: { password: 'x' },
    nulls: ['x', null], limit: new Int32(1), version: new Int32(1),
  }]);
  const index = (key: Readonly<Record<string, unknown>>, more: object = {}): IndexDescriptionInfo =>
    ({ v: 2, name: 'theirs', key, ...more }) as IndexDescriptionInfo;
  const found = (...indexes: readonly IndexDescriptionInfo[]) => describeIndexes(indexes, documents);

  test.each<[string, Readonly<Record<string, unknown>>, readonly string[]]>([
    ['the id alone', { _id: 1 }, []],
    ['a number', { year: 1 }, ["byYear: { equal: ['year'] }", "inYearOrder: { range: 'year', sort: ['year'] }"]],
    ['the other direction', { year: -1 }, ["byYear: { equal: ['year'] }", "inYearOrder: { range: 'year', sort: ['year'] }"]],
    ['an id behind it', { title: 1, _id: 1 }, ["byTitle: { equal: ['title'] }", "inTitleOrder: { range: 'title', sort: ['title'] }"]],
    ['what is asked for by equality alone', { flag: 1 }, ["byFlag: { equal: ['flag'] }"]],
    ['a reference', { ref: 1 }, ["byRef: { equal: ['ref'] }"]],
    ['an array', { genres: 1 }, ["byGenres: { equal: ['genres'] }"]],
    ['an array and an order', { genres: 1, year: -1 }, ["byGenresYear: { equal: ['genres'], range: 'year', sort: ['-year'] }"]],
    ['several', { flag: 1, ref: 1, at: -1 }, ["byFlagRefAt: { equal: ['flag', 'ref'], range: 'at', sort: ['-at'] }"]],
    ['several that have no order at their end', { year: 1, flag: 1 }, ["byYearFlag: { equal: ['year', 'flag'] }"]],
    ['a path', { 'imdb.rating': -1 },
      ["byImdbRating: { equal: ['imdb.rating'] }", "inImdbRatingOrder: { range: 'imdb.rating', sort: ['imdb.rating'] }"]],
    ['a path through an array', { 'grades.grade': 1 }, ["byGradesGrade: { equal: ['grades.grade'] }"]],
    ['names that are others on the wire', { 'first name': 1, 'imdb.vote count': 1 },
      ["byFirstNameImdbVoteCount: { equal: ['firstName'], range: 'imdb.voteCount', sort: ['imdb.voteCount'] }"]],
  ])('%s', (_title, key, shapes) => {
    expect(found(index(key))).toEqual({ shapes: [...shapes], others: [] });
  });

  test.each<[string, IndexDescriptionInfo, string]>([
    ['text', index({ _fts: 'text', _ftsx: 1 }), 'finds words'],
    ['places', index({ place: '2dsphere' }), 'is of the kind 2dsphere'],
    ['hashes', index({ title: 'hashed' }), 'is of the kind hashed'],
    ['a wildcard', index({ 'imdb.$**': 1 }), 'is of all fields'],
    ['a part of the documents', index({ year: 1 }, { partialFilterExpression: { flag: true } }), 'is partial'],
    ['those that have it', index({ year: 1 }, { sparse: true }), 'is sparse'],
    ['a hidden one', index({ year: 1 }, { hidden: true }), 'is hidden'],
    ['another order', index({ title: 1 }, { collation: { locale: 'en' } }), 'has a collation'],
    ['an end', index({ at: 1 }, { expireAfterSeconds: 60 }), 'deletes documents 60 s after their date'],
    ['what is left out', index({ 'odd.password': 1 }), 'odd.password is not declared'],
    ['what has several types', index({ mixed: 1 }), 'mixed has no single plain type'],
    ['an array with null in it', index({ nulls: 1 }), 'nulls has no single plain type'],
    ['an object', index({ imdb: 1 }), 'imdb has no single plain type'],
    ['a parameter of lists', index({ flag: 1, limit: 1 }), 'limit is a parameter of every list; storedAs gives it another name'],
    ['the one that names a version', index({ version: 1 }), 'version is a parameter of every list; storedAs gives it another name'],
    ['two arrays', index({ genres: 1, tags: 1 }), 'has two arrays'],
  ])('none from an index of %s', (_title, given, why) => {
    expect(found(given)).toEqual({ shapes: [], others: [`theirs: ${why}`] });
  });

  test('the same once, and of two names that would be the same the second is numbered', () => {
    expect(found(index({ year: 1 }), index({ year: -1 }), index({ flag: 1, year: 1 }), index({ flag: 1, year: -1 })).shapes).toEqual([
      "byYear: { equal: ['year'] }", "inYearOrder: { range: 'year', sort: ['year'] }",
      "byFlagYear: { equal: ['flag'], range: 'year', sort: ['year'] }", "byFlagYear2: { equal: ['flag'], range: 'year', sort: ['-year'] }",
    ]);
  });
});

test.each([
  ['movies', 'movies'], ['listingsAndReviews', 'listings-and-reviews'], ['_User', 'user'], ['embedded_movies', 'embedded-movies'],
  ['a.b', 'a-b'], ['Größen', 'grossen'], ['fs.files', 'fs-files'], ['2024', undefined], ['名前', undefined],
])('the resource of %s is named %s', (collection, name) => {
  expect(toResourceName(collection)).toBe(name);
});
