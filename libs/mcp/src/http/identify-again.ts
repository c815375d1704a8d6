import type { Gate, Identified } from '../gate/gate.js';
import type { Exchange } from './exchange.js';

/** Judges the credential of this exchange again, whenever it is called. */
export function identifyAgain(gate: Gate, { arrival }: Exchange): () => Promise<Identified> {
  const { headers, address } = arrival;
  return () => gate.identify({ headers, via: 'http', ...(address === undefined ? {} : { address }) });
}
