import type { JsonLimits } from './strict-json.js';

/** Bounds that hold before a message is parsed. */
export interface ArrivalLimits extends JsonLimits {
  /** Bytes of a request body, or of one line on stdio. */
  readonly maxBodyBytes: number;
}

/** 1 MiB, 64 levels, 50,000 elements. */
export const DEFAULT_LIMITS: ArrivalLimits = Object.freeze({
  maxBodyBytes: 1024 * 1024,
  maxDepth: 64,
  maxElements: 50_000,
});
