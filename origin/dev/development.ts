/** The settings of development: the environment's own, with a key ring from the data dir where none is set. */
import { mustEnvironment, mustSettings, type Settings, SettingsError, type Variables } from '../settings.ts';
import { openDevelopmentKeys } from './keys.ts';

const dataDirDefault = './.tombolo';

export async function mustDevelopmentSettings(given: Variables): Promise<Settings> {
  if (mustEnvironment(given) !== 'development') throw new SettingsError('TOMBOLO_ENV', 'is production; this command is for development alone, an origin host runs `npm run origin`');
  const keys = given['TOMBOLO_KEYS'] || (await openDevelopmentKeys(given['TOMBOLO_DATA_DIR'] || dataDirDefault));
  return mustSettings({ ...given, TOMBOLO_KEYS: keys });
}
