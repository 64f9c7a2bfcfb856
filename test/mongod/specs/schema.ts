/**
 * The unified test format, schema 1.x, as far as the driver suites beside the project use it.
 * Values inside documents stay `unknown`: they are data for the driver and for the matcher, never read here.
 */

export type Fields = Readonly<Record<string, unknown>>;

export type Suite = {
  readonly description: string;
  readonly schemaVersion: string;
  readonly runOnRequirements?: readonly Requirement[];
  readonly createEntities?: readonly EntityDescription[];
  readonly initialData?: readonly CollectionData[];
  readonly tests: readonly TestCase[];
};

export type TestCase = {
  readonly description: string;
  readonly runOnRequirements?: readonly Requirement[];
  readonly skipReason?: string;
  readonly operations: readonly Operation[];
  readonly expectEvents?: readonly ExpectedEvents[];
  readonly outcome?: readonly CollectionData[];
};

export type Requirement = {
  readonly minServerVersion?: string;
  readonly maxServerVersion?: string;
  readonly topologies?: readonly string[];
  readonly serverless?: 'require' | 'forbid' | 'allow';
  readonly serverParameters?: Fields;
  readonly auth?: boolean;
  readonly authMechanism?: string;
  readonly csfle?: unknown;
};

export type EntityDescription = {
  readonly client?: ClientDescription;
  readonly database?: { readonly id: string; readonly client: string; readonly databaseName: string; readonly databaseOptions?: Fields };
  readonly collection?: { readonly id: string; readonly database: string; readonly collectionName: string; readonly collectionOptions?: Fields };
  readonly session?: { readonly id: string; readonly client: string; readonly sessionOptions?: Fields };
  readonly bucket?: { readonly id: string; readonly database: string; readonly bucketOptions?: Fields };
};

export type ClientDescription = {
  readonly id: string;
  readonly uriOptions?: Fields;
  readonly useMultipleMongoses?: boolean;
  readonly observeEvents?: readonly string[];
  readonly ignoreCommandMonitoringEvents?: readonly string[];
  readonly observeSensitiveCommands?: boolean;
};

export type CollectionData = {
  readonly databaseName: string;
  readonly collectionName: string;
  readonly createOptions?: Fields;
  readonly documents: readonly Fields[];
};

export type Operation = {
  readonly name: string;
  readonly object: string;
  readonly arguments?: Fields;
  readonly expectResult?: unknown;
  readonly expectError?: ExpectedError;
  readonly saveResultAsEntity?: string;
  readonly ignoreResultAndError?: boolean;
};

export type ExpectedError = {
  readonly isError?: boolean;
  readonly isClientError?: boolean;
  readonly isTimeoutError?: boolean;
  readonly errorContains?: string;
  readonly errorCode?: number;
  readonly errorCodeName?: string;
  readonly errorLabelsContain?: readonly string[];
  readonly errorLabelsOmit?: readonly string[];
  readonly errorResponse?: unknown;
  readonly writeErrors?: Fields;
  readonly writeConcernErrors?: readonly Fields[];
  readonly expectResult?: unknown;
};

export type ExpectedEvents = {
  readonly client: string;
  readonly eventType?: 'command' | 'cmap';
  readonly ignoreExtraEvents?: boolean;
  readonly events: readonly Readonly<Record<string, Fields>>[];
};
