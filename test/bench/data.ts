/** What is imported and read: the real files where a machine has them, else the sample and invented rows, as many. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sharedDataDir } from '../support/needs.ts';

export interface Data {
  readonly name: string;
  readonly resource: 'films' | 'places' | 'reviews';
  readonly contentType: string;
  readonly rows: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const filmRows = 11_216;
const placeRows = 42_049;

export function filmsNdjson(): Data {
  const real = join(sharedDataDir, 'films.ndjson');
  const file = existsSync(real) ? real : join(import.meta.dir, '../../origin/dev/sample/films.ndjson');
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  // The real file was written when v1 was the current version.
  const current = lines.map((line) => {
    const { thumbnail, thumbnail_width: width, thumbnail_height: height, ...film } = JSON.parse(line) as Record<string, unknown>;
    return JSON.stringify(thumbnail === undefined ? film : { ...film, image: { url: thumbnail, width, height } });
  });
  const rows = Array.from({ length: filmRows }, (_, row) => current[row % current.length]);
  return {
    name: 'films, NDJSON',
    resource: 'films',
    contentType: 'application/x-ndjson',
    rows: filmRows,
    bytes: new TextEncoder().encode(`${rows.join('\n')}\n`),
  };
}

interface Review {
  readonly film: string;
  readonly rating: number;
  readonly text: string;
}

const reviewRows = 10_000;
const wordsOfReview = 25;

/** Reviews of these films in turn, of words that stand in what is said of films. */
export function inventedReviews(films: readonly string[]): readonly Review[] {
  const words = new TextDecoder().decode(filmsNdjson().bytes).toLowerCase().match(/[a-z]{3,}/g) ?? [];
  return Array.from({ length: reviewRows }, (_, row) => ({
    film: films[row % films.length] ?? '', rating: 3 + (row % 3),
    text: words.slice(row * wordsOfReview, (row + 1) * wordsOfReview).join(' '),
  }));
}

/** By the author who asks in benchmarks. */
export function reviewsNdjson(reviews: readonly Review[]): Data {
  const rows = reviews.map((review) => JSON.stringify({ ...review, author: 'bench', status: 'published' }));
  return {
    name: 'reviews, NDJSON', resource: 'reviews', contentType: 'application/x-ndjson', rows: rows.length,
    bytes: new TextEncoder().encode(`${rows.join('\n')}\n`),
  };
}

/** Eight words that two to six reviews in a thousand have. */
export function rareWords(reviews: readonly Review[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const { text } of reviews) for (const word of new Set(text.split(' '))) counts.set(word, (counts.get(word) ?? 0) + 1);
  const rare = [...counts].filter(([word, count]) => word.length > 5 && count >= reviews.length * 0.002 && count <= reviews.length * 0.006);
  return rare.slice(0, 8).map(([word]) => word);
}

export function placesCsv(): Data {
  const real = join(sharedDataDir, 'zipcodes.csv');
  const bytes = existsSync(real) ? new Uint8Array(readFileSync(real)) : new TextEncoder().encode(inventedPlaces());
  return { name: 'places, CSV', resource: 'places', contentType: 'text/csv', rows: placeRows, bytes };
}

/** The same rows under zip codes that none of those has: what a process is given that imported them. */
export function otherPlacesCsv(): Data {
  const places = placesCsv();
  const [header = '', ...lines] = new TextDecoder().decode(places.bytes).trimEnd().split('\n');
  const taken = new Set(lines.map((line) => line.slice(0, zipDigits)));
  const free = Array.from({ length: 10 ** zipDigits }, (_, zip) => String(zip).padStart(zipDigits, '0')).filter((zip) => !taken.has(zip));
  const others = lines.map((line, index) => `${free[index]}${line.slice(zipDigits)}`);
  return { ...places, bytes: new TextEncoder().encode(`${[header, ...others].join('\n')}\n`) };
}

const zipDigits = 5;

function inventedPlaces(): string {
  const rows = Array.from({ length: placeRows }, (_, row) => {
    const [zip, latitude, longitude] = [String(row).padStart(zipDigits, '0'), `${(row % 179) - 89}.${row % 997}`, `-${row % 179}.25`];
    return `${zip},${latitude},${longitude},City ${row},N${'ABCDEFGH'[row % 8]},County ${row % 62}`;
  });
  return `zip_code,latitude,longitude,city,state,county\n${rows.join('\n')}\n`;
}
