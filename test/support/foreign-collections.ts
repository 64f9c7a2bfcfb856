/** Documents as programs of others keep them: the public samples of MongoDB in small, and what the usual mappers write. */
import { Binary, Decimal128, Double, Int32, Long, ObjectId } from 'mongodb';
import type { JsonObject } from '../../shared/wire/values.ts';

export interface ForeignDocument {
  readonly _id: unknown;
  readonly [field: string]: unknown;
}

export interface ForeignCollection {
  readonly collection: string;
  readonly documents: readonly ForeignDocument[];
  readonly indexes: readonly Readonly<Record<string, 1 | -1 | '2dsphere'>>[];
  /** Queries of the shapes that follow from the indexes, and how many documents each finds. */
  readonly asked: readonly (readonly [query: string, found: number])[];
  /** What is changed in one of them, as a caller sends it, and as it is stored. */
  readonly patch: JsonObject;
  readonly change: Readonly<Record<string, unknown>>;
}

type Made = Omit<ForeignDocument, '_id'>;

const id = (index: number) => new ObjectId(index.toString(16).padStart(24, '5'));
const day = (index: number) => new Date(1_000_000_000_000 + index * 86_400_000);
const int = (value: number) => new Int32(value);
const double = (value: number) => new Double(value);
const decimal = (text: string) => Decimal128.fromString(text);
const one = <T>(index: number, of: readonly T[]): T => of[index % of.length] as T;

function many(count: number, make: (index: number) => Made, toId: (index: number) => unknown = id): readonly ForeignDocument[] {
  return Array.from({ length: count }, (_, index) => ({ _id: toId(index), ...make(index) }));
}

/** sample_mflix.movies */
const movies: ForeignCollection = {
  collection: 'movies',
  documents: many(40, (index) => ({
    plot: `Plot ${index}`, genres: index % 4 === 0 ? ['Drama', 'Short'] : ['Comedy'], runtime: int(80 + index), title: `Film ${index}`,
    cast: [`Actor ${index}`, 'Somebody'], ...(index % 5 === 0 ? {} : { poster: `https://example.test/${index}.jpg` }),
    released: day(index), awards: { wins: int(index), nominations: int(2), text: `${index} wins.` },
    year: index === 7 ? '1995è' : int(1990 + index), lastupdated: '2015-08-26 00:03:50.133000000',
    type: one(index, ['movie', 'movie', 'series']),
    imdb: { rating: index === 3 ? '' : double(7.5), votes: int(index), id: int(index) },
    ...(index % 2 === 0 ? { tomatoes: { viewer: { rating: double(3.5), numReviews: int(9) }, dvd: day(index), fresh: int(6) } } : {}),
  })),
  indexes: [{ runtime: -1 }, { 'imdb.votes': 1 }, { genres: 1, released: -1 }],
  asked: [['imdb.votes[gte]=10&sort=-imdb.votes', 30], ['genres=Drama&sort=-released', 10], ['runtime=81', 1]],
  patch: { awards: { text: 'none' } }, change: { 'awards.text': 'none' },
};

/** sample_airbnb.listingsAndReviews */
const listings: ForeignCollection = {
  collection: 'listingsAndReviews',
  documents: many(40, (index) => ({
    listing_url: `https://example.test/rooms/${index}`, name: `Room ${index}`, room_type: one(index, ['Entire home/apt', 'Private room']),
    minimum_nights: '2', last_scraped: day(index), ...(index % 3 === 0 ? { first_review: day(index) } : {}), accommodates: int(2),
    bathrooms: decimal('1.0'), amenities: ['TV', 'Wifi'], price: decimal(`${index}.50`),
    ...(index % 3 === 1 ? { weekly_price: decimal('300.00') } : {}),
    images: { thumbnail_url: '', picture_url: `https://example.test/${index}.png` },
    address: { street: 'Porto', location: { type: 'Point', coordinates: [double(-8.6), double(41)], is_location_exact: index % 2 === 0 } },
    review_scores: index % 7 === 0 ? {} : { review_scores_rating: int(90) },
    reviews: index % 2 === 0 ? [] : [{ _id: `r${index}`, date: day(index), reviewer_id: '7', comments: 'Nice' }],
  }), (index) => String(10_000 + index)),
  indexes: [{ 'address.location': '2dsphere' }, { price: 1 }],
  asked: [['price[lt]=10.50', 10], ['price=3.50', 1]],
  patch: { name: 'Another' }, change: { name: 'Another' },
};

/** sample_restaurants.restaurants */
const restaurants: ForeignCollection = {
  collection: 'restaurants',
  documents: many(40, (index) => ({
    address: { building: '8', coord: [double(-73.9), double(40.5)], street: 'Road', zipcode: `1046${index % 10}` },
    borough: one(index, ['Bronx', 'Queens']), cuisine: `Cuisine ${index}`, name: `Place ${index}`, restaurant_id: `${30_000_000 + index}`,
    grades: [{ date: day(index), grade: 'A', score: int(2) }, { date: day(index + 1), grade: one(index, ['B', 'C']), score: null }],
  })),
  indexes: [{ borough: 1, cuisine: 1 }, { 'grades.grade': 1 }, { 'address.zipcode': 1 }],
  asked: [['grades.grade=C', 20], ['address.zipcode=10462', 4], ['borough=Bronx&sort=cuisine', 20]],
  patch: { address: { street: 'Lane' } }, change: { 'address.street': 'Lane' },
};

/** sample_supplies.sales */
const sales: ForeignCollection = {
  collection: 'sales',
  documents: many(40, (index) => ({
    saleDate: day(index), storeLocation: one(index, ['Denver', 'Seattle']), couponUsed: index % 2 === 0, purchaseMethod: 'Online',
    items: [
      { name: 'pens', tags: ['writing'], price: decimal('56.12'), quantity: int(5) },
      { name: 'bag', tags: [], price: decimal('80.00'), quantity: int(1) },
    ],
    customer: { gender: 'F', age: int(50), email: `c${index}@example.test`, satisfaction: int(5) },
  })),
  indexes: [{ saleDate: -1 }, { storeLocation: 1, saleDate: -1 }],
  asked: [['storeLocation=Denver&saleDate[gte]=2001-09-19', 15], ['sort=-saleDate', 40]],
  patch: { couponUsed: false }, change: { couponUsed: false },
};

/** As Mongoose writes them. */
const posts: ForeignCollection = {
  collection: 'posts',
  documents: many(40, (index) => ({
    author: id(index), title: `Post ${index}`, tags: index % 2 === 0 ? [] : ['news'], meta: { votes: int(index), favs: int(0) },
    comments: [{ body: 'First', date: day(index), _id: id(100 + index) }], resetPasswordToken: 'a1b2', hash: `$2b$10$${'a'.repeat(53)}`,
    createdAt: day(index), updatedAt: day(index), __v: int(0),
  })),
  indexes: [{ author: 1, createdAt: -1 }],
  asked: [[`author=${id(3).toHexString()}`, 1]],
  patch: { title: 'Changed' }, change: { title: 'Changed' },
};

/** As Spring Data writes them. */
const orders: ForeignCollection = {
  collection: 'customerOrder',
  documents: many(40, (index) => ({
    customerName: `Customer ${index}`, total: decimal(`${index}.10`), orderDate: day(index), points: Long.fromString('9007199254740993'),
    lines: [{ sku: 'A-1', quantity: int(2), _class: 'com.example.Line' }], _class: 'com.example.CustomerOrder',
  })),
  indexes: [{ customerName: 1 }],
  asked: [['customerName=Customer%203', 1]],
  patch: { customerName: 'Ada' }, change: { customerName: 'Ada' },
};

/** As Parse writes them. */
const parseUsers: ForeignCollection = {
  collection: '_User',
  documents: many(40, (index) => ({
    username: `user${index}`, _hashed_password: `$2b$10$${'b'.repeat(53)}`, _created_at: day(index), _updated_at: day(index),
    _p_team: `Team$${index}`, _rperm: ['*'], _wperm: [`a${index}`], _acl: { [`a${index}`]: { r: true, w: true } },
    emailVerified: index % 2 === 0,
  }), (index) => `a${index}`),
  indexes: [{ username: 1 }],
  asked: [['username=user3', 1]],
  patch: { emailVerified: false }, change: { emailVerified: false },
};

/** As they come out of a table, with names that people gave. */
const people: ForeignCollection = {
  collection: 'people',
  documents: many(40, (index) => ({
    id: int(index), first_name: `First ${index}`, 'last name': 'Last', Straße: 'Weg 1', 'e-mail': `p${index}@example.test`,
    is_active: true, created_at: day(index), rev: '1-abc', balance: double(index + 0.5), login_count: int(index),
    note: index % 2 === 0 ? null : 'x',
  }), int),
  indexes: [{ 'last name': 1, created_at: -1 }],
  asked: [['lastName=Last&sort=-created_at', 40]],
  patch: { lastName: 'Lovelace' }, change: { 'last name': 'Lovelace' },
};

/** Of several kinds, by UUIDs. */
const events: ForeignCollection = {
  collection: 'events',
  documents: many(40, (index) => index % 2 === 0
    ? { kind: 'order placed', at: day(index), order: int(index), sum: decimal('1.00') }
    : { kind: 'signed in', at: day(index), from: '192.0.2.1', device: { name: 'phone' } },
  (index) => new Binary(Buffer.from(index.toString(16).padStart(32, '4'), 'hex'), 4)),
  indexes: [{ kind: 1, at: -1 }],
  asked: [['kind=signed%20in&sort=-at', 20]],
  patch: { at: '2026-01-31T00:00:00.000Z' }, change: { at: new Date('2026-01-31') },
};

export const foreignCollections = [movies, listings, restaurants, sales, posts, orders, parseUsers, people, events] as const;
