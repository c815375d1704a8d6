/** A store cannot be opened as it is wired; the message says what to write or to start. Holds no password. */
export declare class StoreSetupError extends Error {
    readonly name: string;
    readonly code: string;
}
