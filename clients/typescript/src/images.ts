// Images as they are given.

/** A picture: a `File` or another `Blob` (in node `await fs.openAsBlob(path)`), or the bytes of a file. */
export type GivenFile = Blob | ArrayBuffer | Uint8Array;

/** An image: the same, or its address (`https://...`, where the operator allows it). */
export type GivenImage = GivenFile | string | URL;

/** Return whether an image is given by its address. */
export const isAddress = (given: GivenImage): given is string | URL =>
  typeof given === "string" || given instanceof URL;

/** Return a picture as a file of a form. */
export function asFile(given: GivenFile): Blob {
  return given instanceof Blob ? given : new Blob([given as BlobPart]);
}

/** Return the name of a picture's file. */
export const nameOf = (given: GivenFile): string => given instanceof File ? given.name : "image";
