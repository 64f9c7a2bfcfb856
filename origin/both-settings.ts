/** What is wrong with the settings of a program that reads those of both sides: each variable once, whichever side asks for it. */
import { SettingsError, type SettingsReader } from '../shared/settings/reader.ts';

/** Throws one `SettingsError` that names every variable which is wrong, by the origin's words where both have some. */
export function mustBothBeRight(origin: SettingsReader, edge: SettingsReader): void {
  const byVariable = new Map([...edge.wrong, ...origin.wrong].map((line) => [line.slice(0, line.indexOf(':')), line] as const));
  // What is asked of an environment follows from which it is.
  const environment = byVariable.get('TOMBOLO_ENV');
  const wrong = environment === undefined ? [...byVariable.values()] : [environment];
  if (wrong.length > 0) throw new SettingsError(wrong);
}
