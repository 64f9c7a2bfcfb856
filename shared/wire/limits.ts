/** Every bound of the wire, with its unit in its name. What each side does at the bound stands beside it. */
export const limits = {
  /** A longer path and query is 414: twice what a page cursor and ten filters need. */
  targetBytesMax: 8_192,
  /** More than this in all header fields is 431; Workers take 128 KB, Bun 16 KB. */
  headerBytesMax: 14_336,
  /** A larger JSON body is 413; up to here bodies are buffered and carry a digest over the hop. */
  bodyBytesMax: 1_048_576,
  /** Objects and arrays inside one another in a field; deeper is a 422. MongoDB takes 100, SQLite's JSON 1 000. */
  nestingLevelsMax: 64,
  /** Members that a path may lead through: what stands deeper is served and kept, and cannot be asked for. */
  pathStepsMax: 8,
  /** Operations of one patch; more is a 422. What a program makes of two documents of this size seldom has a tenth. */
  patchOperationsMax: 500,
  /** Characters that the `copy` and `move` of one patch write, each number as eight; more is a 422. They double by each other. */
  patchCopiedCharactersMax: 1_048_576,
  /** Documents of one bulk change or removal, and operations of one transaction; more is refused. They share one commit. */
  writesTogetherMax: 200,
  /** An import streams; Cloudflare's own plans end at 100 MB, an origin host may take more. */
  importBytesMax: 512 * 1_048_576,
  /** One row of an import; a longer one is a rejected row. */
  importRowBytesMax: 1_048_576,
  /** Rows committed together: large enough to share one fsync, small enough to hold the loop under 5 ms. */
  importBatchRows: 200,
  /** Imports of one caller under way in one process, then 429: a quarter of the CSV streams that a thread holds. */
  importsPerCallerMax: 4,
  /** What a caller at that share is told to wait: an import that moves at all gives its place back within seconds. */
  importRetryAfterSeconds: 5,
  /** An upload that ends within this is committed before its answer's head, which then carries the position. */
  importHeadMsMax: 250,
  /** Of an upload with more rows the head goes out first, however soon it ends. */
  importHeadRowsMax: 5_000,
  /** How long nothing of an import may come: more than the 8 s in which the edge gathers one piece at the least rate. */
  importSilenceMsMax: 10_000,
  /** An import that sends less ends, with what was committed kept: the slowest mobile uplink has ten times this. */
  importBytesPerSecondMin: 512,
  /** Rejected rows listed; the summary counts the rest. */
  importRejectedListedMax: 1_000,
  /**
   * An export's whole time, and so the age of the state that it shows: SQLite's log grows meanwhile, and MongoDB shows a time for
   * 300 s. One that has not ended by then breaks off, and is resumed from its last mark.
   */
  exportMsMax: 240_000,
  /** Bytes of an export that are made in one go, some 2 ms, or one document if that alone is longer: what a reader holds at once. */
  exportChunkBytes: 131_072,
  /** Documents of one go. */
  exportChunkRowsMax: 500,
  /** Documents of one go where each is looked into, beside its index. */
  exportLookedIntoRows: 200,
  /** Entries of one go, whose documents are read and folded: some 50 µs each. */
  exportEntriesRows: 50,
  /**
   * Documents that an export looks into and passes over: then it breaks off, and NDJSON says from where it is resumed. Half a minute
   * of a process's time, in which others have their turns.
   */
  exportPassedOverMax: 1_000_000,
  /** Documents of the first, whose length nobody knows yet. */
  exportFirstRows: 50,
  /** Documents between two marks of an NDJSON export, from which it can be resumed: those that are given, and those looked into. */
  exportMarkRows: 10_000,
  /** Exports of one caller under way in one process, then 429: each holds a state. */
  exportsPerCallerMax: 2,
  /** Exports of all callers under way in one process, then 503. */
  exportsMax: 8,
  /** What a caller at that share is told to wait. */
  exportRetryAfterSeconds: 5,
  /** How long a reader may take nothing of an export, beside the time that its bytes take at the least rate. */
  exportSilenceMsMax: 10_000,
  /** A reader that takes less is cut off, so that nobody holds a state by reading slowly. */
  exportBytesPerSecondMin: 8_192,
  /** What an endpoint's `fetch` reads of an answer; a longer one is 502. */
  fetchedBytesMax: 1_048_576,
  /** Documents of a page when `limit` is absent. */
  pageDocumentsDefault: 20,
  /** A larger `limit` is a 400. */
  pageDocumentsMax: 200,
  /** Documents asked of a list for each time that its cost is charged: a page of 100 costs what two do. */
  listDocumentsPerCost: 50,
  /** Values of one `in`; more is a 400. Work is this × page. */
  inValuesMax: 20,
  /** Documents that a page looks into where a shape asks beside its index and says no other number: some 10 ms. */
  examinedDefault: 1_000,
  /** More cannot be declared: a page would hold others up for a tenth of a second. */
  examinedMax: 10_000,
  /** Relations that lead on from one another in `expand`; more is a 400. Each is a read of the store, two at most. */
  expandLevelsMax: 2,
  /** Documents that the lists of one relation may show beside one document, as they are declared. */
  relatedDocumentsMax: 100,
  /** Related documents that one answer may have, counted before it is read; more is a 400. Five pages of the largest size. */
  expandedDocumentsMax: 1_000,
  /** Different ids of an array that `expand` may look up for each document that it may show of them: the work is at most this × those. */
  expandIdsPerDocument: 2,
  /** Documents that a write changes or removes since they name what it removes; more is a 409. A tenth of a second of a writer. */
  causedChangesMax: 500,
  /** Relations in a row by which a removal removes others; one more is a 409. */
  cascadeLevelsMax: 5,
  /** One filter value; longer is a 400. */
  filterValueBytesMax: 512,
  /** Characters of one `q`; more is a 400. */
  textQueryCharactersMax: 256,
  /** Words of one `q`, each two letters of a text without spaces among them; more is a 400. */
  textQueryWordsMax: 16,
  /** Different words that are found of a document; those behind them are not. Twice a long article's. */
  textDocumentWordsMax: 2_000,
  /** Letters of a word that are looked at; its end is not. */
  textWordLettersMax: 64,
  /** Documents that one page by text, by folded values or a count of them examines, then it is short and says where to go on. */
  textExaminedMax: 1_000,
  /** How far from `near` a list may reach; more is a 400. Half around the earth: nothing is further away. */
  nearMetresMax: 20_015_115,
  /** Positions of the polygons of one `within`; more is a 400. As many as a target has room for. */
  polygonPositionsMax: 200,
  /** Entries that one page on the map, or a count of it, examines, then it is short and says where to go on: a tenth of a second. */
  placesExaminedMax: 10_000,
  /** `count=exact` stops here and says so: 50 000 index entries take about 2 ms. */
  countMax: 50_000,
  /** `count=estimated` counts so far and no further where the database has no figure of its own: some tens of µs. */
  estimatedCountMax: 1_000,
  /** Documents that one aggregate walks; more is `aggregate_too_large`. Half a second of work. */
  aggregateDocumentsMax: 100_000,
  /** Elements of arrays in those that are grouped by; a document without any counts as one. */
  aggregateElementsMax: 400_000,
  /** Different elements of an array that `distinct` lists; more is `aggregate_too_large`. Some 20 ms of work a page. */
  distinctElementsMax: 10_000,
  /** Groups of one aggregate where its declaration says no number; more is `aggregate_too_large`. */
  aggregateGroupsDefault: 1_000,
  /** The largest number that a declaration may say. */
  aggregateGroupsMax: 10_000,
  /** Groups of one answer; a larger `limit` is a 400. */
  aggregateShownMax: 1_000,
  /** A document's id in characters; longer is a 400. */
  idCharactersMax: 128,
  /** A cursor in characters; longer is a 400. */
  cursorCharactersMax: 2_048,
  /** A bearer token in characters; longer is a 401. Entra and Keycloak list groups and roles by the hundred. */
  tokenCharactersMax: 8_192,
  /** The `detail` of a refusal; it is cut there. Enough to name the shapes of a resource that has twenty. */
  problemDetailCharactersMax: 2_000,
  /** Errors that a refusal lists; `detail` says how many more there are. */
  problemErrorsMax: 50,
  /** Place and detail of one error, each; they are cut there. */
  problemErrorCharactersMax: 300,
  /** All listed errors together as JSON: a refusal is never much more than what a client sends to cause it. */
  problemErrorsCharactersMax: 8_192,
  /** The whole of a request, edge to store and back; then 504. */
  requestMsMax: 10_000,
  /** A live stream's life: it ends with `reconnect`, and the client comes back with its last id. */
  streamMsMax: 3_600_000,
  /** An import's whole time; what was committed stays and the summary line says how far it came. */
  importMsMax: 600_000,
} as const;
