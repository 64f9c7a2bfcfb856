/** Everything that the doctor looks at, in the order in which one thing needs the one before. */
import { databaseFindings } from './database.ts';
import { edgeFindings } from './edge.ts';
import type { Finding } from './finding.ts';
import { issuerFindings } from './issuer.ts';
import { originFindings } from './listening.ts';
import type { Patient } from './patient.ts';
import { readPatient } from './settings.ts';
import { versionFindings } from './versions.ts';
import { readWorkerFile } from './worker-file.ts';

export async function examine(patient: Patient): Promise<readonly Finding[]> {
  const { read, findings } = readPatient(patient);
  const { vars, findings: ofWorkerFile } = readWorkerFile(read);
  return [
    ...versionFindings(patient), ...findings, ...ofWorkerFile, ...(await databaseFindings(read)), ...(await originFindings(read)),
    ...(await edgeFindings(read)), ...(await issuerFindings(read, vars)),
  ];
}
