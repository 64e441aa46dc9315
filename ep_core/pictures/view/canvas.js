// Canvases: empty ones, and pictures on them.

/** Return an empty canvas. */
export function make(width, height) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, height];
  return canvas;
}

/** Return a picture on a canvas of a size, transparent parts on white as the network gets them. */
export function drawn(image, width, height) {
  const canvas = make(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  context.fillStyle = "#fff";
  context.fillRect(0, 0, width, height);
  context.drawImage(image, 0, 0, width, height);
  return canvas;
}

/** Return a picture, its colour profile left out of account as the engine does. */
export async function bitmap(address) {
  const image = new Image();
  image.src = address;
  await image.decode();
  return createImageBitmap(image, { colorSpaceConversion: "none" });
}

/** Return the pixels of a picture, as ImageData. */
export async function ground(address) {
  const image = await bitmap(address);
  return drawn(image, image.width, image.height).getContext("2d").getImageData(0, 0, image.width, image.height);
}
