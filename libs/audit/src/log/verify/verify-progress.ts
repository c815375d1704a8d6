/** Told how far a part of a verification is. `what`: of what, in words. */
export type VerifyProgress = (done: number, total: number, what: string) => void;
