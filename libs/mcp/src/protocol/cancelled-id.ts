/** The id of the request that a `notifications/cancelled` is about; whatever stands there. */
export function cancelledId(params: unknown): unknown {
  return typeof params === 'object' && params !== null && 'requestId' in params
    ? params.requestId
    : undefined;
}
