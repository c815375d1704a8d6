/** Bounds on the streams over which clients are told of changes. */
export interface SubscriptionLimits {
  /** Streams of one principal (issuer, subject, client and tenant), or of one network without a credential. */
  readonly maxPerPrincipal: number;
  /** Streams of this process. */
  readonly max: number;
  /** Seconds until a stream is ended; the client opens another. */
  readonly maxSeconds: number;
}

/** 8 streams a principal, 1,000 in all, an hour each. */
export const DEFAULT_SUBSCRIPTIONS: SubscriptionLimits = Object.freeze({
  maxPerPrincipal: 8,
  max: 1000,
  maxSeconds: 3600,
});
