/** People as a service: opened at the start in production, and in development when somebody asks. */
import type pino from 'pino';
import type { Services } from '../services/services.ts';
import type { Settings } from '../settings.ts';
import type { SignToken } from './auth.ts';
import { People } from './people.ts';

interface Starting {
  readonly settings: Settings;
  readonly services: Services;
  readonly log: pino.Logger;
  readonly signToken: SignToken | undefined;
  now(): number;
  departs(subject: string): Promise<void>;
}

export async function startPeople({ settings, services, ...rest }: Starting): Promise<People | undefined> {
  const { people: own, dataDir, mongodbUri, environment } = settings;
  if (own === undefined) return undefined;
  const people = new People(async () => {
    const { openPeople } = await import('./open.ts');
    return openPeople({ settings: own, dataDir, mongodbUri, ...rest });
  });
  return services.start('people', async () => {
    if (environment === 'production') await people.opened();
    return { value: people, stop: () => people.close(), state: () => ({ ready: true }) };
  });
}
