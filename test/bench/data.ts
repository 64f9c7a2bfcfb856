/** What is imported and read: the real files where a machine has them, else the sample and invented rows, as many. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sharedDataDir } from '../support/needs.ts';

export interface Data {
  readonly name: string;
  readonly resource: 'films' | 'places';
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

export function placesCsv(): Data {
  const real = join(sharedDataDir, 'zipcodes.csv');
  const bytes = existsSync(real) ? new Uint8Array(readFileSync(real)) : new TextEncoder().encode(inventedPlaces());
  return { name: 'places, CSV', resource: 'places', contentType: 'text/csv', rows: placeRows, bytes };
}

function inventedPlaces(): string {
  const rows = Array.from({ length: placeRows }, (_, row) => {
    const [zip, latitude, longitude] = [String(row).padStart(5, '0'), `${(row % 179) - 89}.${row % 997}`, `-${row % 179}.25`];
    return `${zip},${latitude},${longitude},City ${row},N${'ABCDEFGH'[row % 8]},County ${row % 62}`;
  });
  return `zip_code,latitude,longitude,city,state,county\n${rows.join('\n')}\n`;
}
